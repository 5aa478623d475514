"""The names of things in sentences: their articles and plurals."""

from __future__ import annotations

PLURALS = frozenset(
    [
        "grapes", "cherries", "blueberries", "peanuts", "beans", "pancakes", "chopsticks", "houses", "fireworks",
        "sparkles", "skis", "glasses", "sunglasses", "goggles", "jeans", "gloves", "socks", "briefs", "shorts",
        "maracas", "books", "scissors", "chains", "bubbles"
    ]
) | {
    "paw prints", "french fries", "hot springs", "Japanese dolls", "admission tickets", "nesting dolls",
    "flower playing cards", "performing arts", "woman's clothes", "shopping bags", "ballet shoes", "prayer beads",
    "musical notes", "control knobs", "film frames", "bookmark tabs", "card index dividers", "linked paperclips",
    "crossed swords", "clinking beer mugs", "clinking glasses", "sweat droplets", "revolving hearts", "two hearts",
    "hundred points",
}  # fmt: skip
"""Names that are plural: they have no article."""

MASS = frozenset(
    [
        "bread", "flatbread", "bacon", "popcorn", "butter", "salt", "spaghetti", "sushi", "oden", "falafel",
        "custard", "sake", "mate", "ice", "broccoli", "garlic", "camping", "wood", "coral", "fog", "fire",
        "luggage", "tennis", "bowling", "lacrosse", "badminton", "yarn", "thread", "soap", "dna", "construction",
        "cooking", "dango"
    ]
) | {
    "baguette bread", "stuffed flatbread", "canned food", "cooked rice", "curry rice", "shaved ice", "ice cream",
    "soft ice cream", "bubble tea", "pouring liquid", "building construction", "high voltage", "field hockey",
    "ice hockey", "ping pong", "light rail", "meat on bone", "money with wings", "cherry blossom", "ginger root",
}  # fmt: skip
"""Names of what is not counted: they have no article and no plural."""

PHRASES = {
    "Statue of Liberty": "the Statue of Liberty",
    "Tokyo tower": "the Tokyo tower",
    "mount fuji": "mount fuji",
    "milky way": "the milky way",
    "kaaba": "the kaaba",
    "sun": "the sun",
    "locked": "a padlock",
    "unlocked": "an open padlock",
    "locked with pen": "a padlock with a pen",
    "locked with key": "a padlock with a key",
    "foggy": "a city in fog",
    "dizzy": "a dizzy star",
    "dashing away": "a cloud of dust",
    "star-struck": "a star-struck face",
    "rolling on the floor laughing": "a face rolling on the floor laughing",
    "ZZZ": "the letters ZZZ",
    "hourglass done": "an hourglass",
    "hourglass not done": "an hourglass that runs",
    "chart increasing": "a chart that rises",
    "chart decreasing": "a chart that falls",
    "chart increasing with yen": "a chart of yen that rises",
}
"""Names that need words of their own to stand in a sentence."""

_AN = ("hour", "x-ray", "herb")
_A = ("one-", "uni", "euro", "use")
_IRREGULAR = {
    "deer": "deer", "sheep": "sheep", "fish": "fish", "bison": "bison", "moose": "moose", "squid": "squid",
    "goose": "geese", "mouse": "mice", "ox": "oxen", "wolf": "wolves", "leaf": "leaves", "scarf": "scarves",
    "loaf": "loaves", "knife": "knives", "die": "dice", "shrimp": "shrimp", "cactus": "cacti", "tooth": "teeth",
    "potato": "potatoes", "tomato": "tomatoes", "mango": "mangoes", "volcano": "volcanoes", "buffalo": "buffaloes",
}  # fmt: skip
_LINKS = frozenset(
    [
        "of",
        "with",
        "in",
        "without",
        "on",
        "at",
        "showing",
        "behind",
        "over",
        "blowing",
        "holding",
        "savoring",
        "screaming",
        "from",
    ]
)


def phrase(name: str) -> str:
    """The name as it stands in a sentence: "an apple", "jeans", "the milky way"."""
    if name in PHRASES:
        return PHRASES[name]
    if name.startswith(("digit ", "letter ")):
        return f"the {name}"
    return name if name in PLURALS or name in MASS else with_article(name)


def with_article(words: str) -> str:
    """The words with "a" or "an" before them."""
    sound = words.lower()
    vowel = sound.startswith(_AN) or (sound[0] in "aeiou" and not sound.startswith(_A))
    return f"{'an' if vowel else 'a'} {words}"


def plural(name: str) -> str | None:
    """Several of it: "ears of corn"; None for what is not counted, is plural already, or is two things together."""
    if name in PLURALS or name in MASS or name in PHRASES or " and " in name:
        return None
    words = name.split()
    head = next((place for place, word in enumerate(words) if word in _LINKS), len(words)) - 1
    words[max(head, 0)] = _several(words[max(head, 0)])
    return " ".join(words)


def _several(word: str) -> str:
    for single, several in _IRREGULAR.items():
        if word.endswith(single):
            return word[: -len(single)] + several
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
