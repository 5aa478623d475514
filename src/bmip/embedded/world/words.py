"""The words captions use: names, other names, plurals and kinds, of everything that pre-training shows."""

from bmip.embedded.world.vocabulary import DIGITS, LETTERS

NAMES: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "disc"),
    "square": ("square",),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
    "arrow": ("arrow",),
    "cross": ("cross", "plus"),
    "ring": ("ring", "donut"),
    "house": ("house", "home"),
    "tree": ("tree", "pine tree"),
    "flower": ("flower", "blossom"),
    "fish": ("fish",),
    "diamond": ("diamond", "rhombus"),
    "moon": ("moon", "crescent"),
    "sun": ("sun", "burst"),
    "cloud": ("cloud",),
    "lightning": ("lightning bolt", "lightning"),
    "car": ("car", "automobile"),
    "boat": ("boat", "ship"),
    "bird": ("bird",),
    "cat": ("cat", "kitten"),
    "hexagon": ("hexagon",),
    "pentagon": ("pentagon",),
    "octagon": ("octagon",),
    "oval": ("oval", "ellipse"),
    "rectangle": ("rectangle",),
    "apple": ("apple",),
    "mushroom": ("mushroom",),
    "leaf": ("leaf",),
    "drop": ("drop", "droplet"),
    "key": ("key",),
    "cup": ("cup", "mug"),
    "crown": ("crown",),
    "flag": ("flag",),
    "rocket": ("rocket",),
    "gear": ("gear", "cog"),
    "umbrella": ("umbrella",),
    "bottle": ("bottle",),
    "hourglass": ("hourglass",),
    "bow": ("bow", "ribbon"),
    "spiral": ("spiral",),
    "chevron": ("chevron",),
    "semicircle": ("semicircle", "half circle"),
    "frame": ("frame",),
    "hammer": ("hammer",),
    "butterfly": ("butterfly",),
    "snowman": ("snowman",),
    "bulb": ("bulb", "light bulb"),
    "candle": ("candle",),
    "envelope": ("envelope", "letter envelope"),
    "ghost": ("ghost",),
    "spade": ("spade",),
    "anchor": ("anchor",),
    "bell": ("bell",),
}
"""Thing -> what captions call it, the usual name first; held-out things have no entry."""

KINDS: dict[str, tuple[str, ...]] = {
    "animal": ("fish", "bird", "cat", "butterfly"),
    "vehicle": ("car", "boat", "rocket"),
    "plant": ("tree", "flower", "leaf", "mushroom"),
    "tool": ("hammer", "key", "gear"),
    "polygon": ("triangle", "square", "hexagon", "pentagon", "octagon", "rectangle"),
    "round shape": ("circle", "ring", "oval"),
    "symbol": ("star", "heart", "arrow", "cross", "spade", "chevron"),
    "object": ("cup", "bottle", "umbrella", "candle", "bulb", "bell", "crown", "hourglass"),
}
"""Wider word -> things it covers."""

PLURALS: dict[str, str] = {
    "cross": "crosses",
    "plus": "pluses",
    "fish": "fish",
    "leaf": "leaves",
    "butterfly": "butterflies",
    "snowman": "snowmen",
    "lightning": "lightnings",
    "hourglass": "hourglasses",
    "rhombus": "rhombuses",
    "ellipse": "ellipses",
    "six": "sixes",
}

COLOUR_NAMES: dict[str, tuple[str, ...]] = {
    "red": ("red", "scarlet"),
    "blue": ("blue",),
    "green": ("green",),
    "yellow": ("yellow", "golden"),
    "orange": ("orange",),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose"),
    "brown": ("brown",),
    "cyan": ("cyan", "turquoise"),
    "lime": ("lime", "light green"),
    "navy": ("navy", "dark blue"),
    "teal": ("teal",),
    "magenta": ("magenta",),
    "gray": ("gray", "grey"),
    "black": ("black",),
    "white": ("white",),
}

TEXTURE_NAMES: dict[str, tuple[str, ...]] = {
    "striped": ("striped", "stripy"),
    "dotted": ("dotted", "spotted"),
    "checkered": ("checkered", "chequered"),
    "zigzag": ("zigzag",),
    "wavy": ("wavy",),
    "brick": ("brick",),
    "grid": ("grid", "gridded"),
    "lattice": ("lattice", "crossed"),
    "woven": ("woven",),
    "marbled": ("marbled", "marble"),
    "speckled": ("speckled", "grainy"),
    "ringed": ("ringed",),
    "scaly": ("scaly",),
    "honeycomb": ("honeycomb",),
    "starry": ("starry",),
    "camouflage": ("camouflage",),
    "cracked": ("cracked",),
}

BACKGROUND_PHRASES: dict[str, tuple[str, ...]] = {
    "grass": ("on grass", "on the lawn", "in a meadow"),
    "sky": ("in the sky", "in a blue sky"),
    "water": ("on water", "in the sea", "on the waves"),
    "sand": ("on sand", "on the beach"),
    "wood": ("on wood", "on a wooden table"),
    "bricks": ("on a brick wall", "in front of bricks"),
    "stone": ("on stone", "on rocks"),
    "night": ("at night", "in the night sky"),
    "lava": ("on lava", "over lava"),
    "chessboard": ("on a chessboard", "on a tiled floor"),
    "carpet": ("on a carpet", "on a rug"),
    "metal": ("on metal", "on a metal plate"),
    "notebook": ("on paper", "in a notebook"),
    "snow": ("on snow", "in the snow"),
    "forest": ("in a forest", "in the woods"),
}

STYLE_PHRASES: dict[str, tuple[str, ...]] = {
    "photo": ("a photo of", "a picture of", "an image of", "a snapshot of"),
    "cartoon": ("a cartoon of", "a drawing of", "an illustration of"),
    "painting": ("a painting of", "an artwork of"),
    "silhouette": ("a silhouette of", "the shadow of"),
    "mosaic": ("a mosaic of",),
    "negative": ("a negative of", "an inverted photo of"),
}

CORRUPTION_NAMES: dict[str, tuple[str, ...]] = {
    "noisy": ("noisy",),
    "blurry": ("blurry", "blurred"),
    "dark": ("dark",),
    "faint": ("faint", "pale"),
    "pixelated": ("pixelated", "low resolution"),
}

POSITION_PHRASES: tuple[tuple[str, ...], ...] = (
    ("in the middle", "in the centre"),
    ("on the left", "at the left side"),
    ("on the right", "at the right side"),
    ("at the top",),
    ("at the bottom",),
)
RELATION_PHRASES: tuple[tuple[str, ...], ...] = (
    ("left of", "to the left of"),
    ("right of", "to the right of"),
    ("above", "over"),
    ("below", "under"),
)
COUNTS: tuple[str, ...] = ("one", "two", "three", "four", "five")


def glyph_names(thing: str) -> tuple[str, ...]:
    """What captions call a digit or letter, the usual name first."""
    kind, name = thing.split(" ")
    if kind == "letter":
        return f"letter {name}", f"capital letter {name}"
    return f"digit {name}", f"number {name}", f"digit {DIGITS.index(name)}"


def plural(name: str) -> str:
    """Several of a thing; digits and letters keep their name after the plural of what they are."""
    first, *rest = name.split(" ")
    if rest and first in ("digit", "number", "letter"):
        return " ".join([first + "s", *rest])
    if rest and rest[-1] in LETTERS:
        return " ".join([first, "letters", *rest[1:]])
    *rest, last = name.split(" ")
    return " ".join([*rest, PLURALS.get(last, last + "s")])


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an"."""
    return ("an " if phrase[0] in "aeioAEIO" or phrase.startswith("umbrella") else "a ") + phrase
