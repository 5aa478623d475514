"""One caption per image: now terse, now talkative, and never naming more than the image shows."""

import numpy as np

from bmip.embedded.world.placing import position_of
from bmip.embedded.world.scene import Layer, Scene
from bmip.embedded.world.vocabulary import BACKGROUNDS, COLOURS, CORRUPTIONS, STYLES, TEXTURES, THINGS
from bmip.embedded.world.words import (
    BACKGROUND_PHRASES,
    COLOUR_NAMES,
    CORRUPTION_NAMES,
    COUNTS,
    KINDS,
    NAMES,
    POSITION_PHRASES,
    RELATION_PHRASES,
    STYLE_PHRASES,
    TEXTURE_NAMES,
    glyph_names,
    plural,
    with_article,
)

_COLOURS, _BACKDROP = list(COLOURS), len(BACKGROUNDS)
_COLOURLESS = ("silhouette", "negative")
_KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}


class _Dice:
    """A caption's own row of uniform numbers."""

    def __init__(self, row: list[float]) -> None:
        self._row = iter(row)

    def chance(self, rate: float) -> bool:
        return next(self._row) < rate

    def pick(self, options: tuple[str, ...]) -> str:
        """The first option mostly, another one at times."""
        draw = next(self._row)
        return (
            options[0]
            if draw < 0.72 or len(options) == 1
            else options[1 + int((draw - 0.72) / 0.28 * (len(options) - 1))]
        )

    def either(self, options: tuple[str, ...]) -> str:
        return options[int(next(self._row) * len(options))]


_THROWS = 64  # of a caption; 60,000 captions took 40 at most


def caption(scene: Scene, rng: np.random.Generator) -> list[str]:
    """Captions of pre-training scenes: another thing first, the main thing last."""
    other, main = (_rows(layer) for layer in scene.layers)
    position = position_of(scene.layers[1].x[:, 0].numpy(), scene.layers[1].y[:, 0].numpy())
    columns = zip(
        main,
        other,
        position.tolist(),
        scene.style.tolist(),
        scene.background.tolist(),
        scene.background_colour.tolist(),
        scene.corruption.tolist(),
        scene.relation.tolist(),
        rng.random((len(scene), _THROWS)).tolist(),
        strict=True,
    )
    return [_sentence(*values) for values in columns]


_Row = tuple[int, int, int, int, int, float]


def _rows(layer: Layer) -> list[_Row]:
    values = (layer.count, layer.thing, layer.colour, layer.second_colour, layer.texture, layer.radius[:, 0])
    return list(zip(*(value.tolist() for value in values), strict=True))


def _sentence(
    main: _Row,
    other: _Row,
    position: int,
    style: int,
    background: int,
    wall: int,
    corruption: int,
    relation: int,
    throws: list[float],
) -> str:
    dice = _Dice(throws)
    detail = throws[-1]  # how talkative, in 0..1
    look = STYLES[style]
    words = _opening(dice, look, CORRUPTIONS[corruption])
    framed = bool(words)
    words += _noun_phrase(dice, main, look, detail)
    if relation >= 0:
        if dice.chance(0.3 + 0.4 * detail):
            words += [dice.pick(RELATION_PHRASES[relation]), *_noun_phrase(dice, other, look, detail)]
        elif dice.chance(0.6):
            words += [dice.pick(("and", "next to", "beside", "with")), *_noun_phrase(dice, other, look, detail)]
    elif main[0] == 1 and ((position and dice.chance(0.15 + 0.4 * detail)) or dice.chance(0.05)):
        words.append(dice.pick(POSITION_PHRASES[position]))
    if look != "negative" or wall < 0:
        words += _setting(dice, background, wall, 0.15 + 0.45 * detail)
    text = " ".join(words)
    if (framed and dice.chance(0.5)) or dice.chance(0.1):
        text += "."
    return text


def _opening(dice: _Dice, look: str, corruption: str) -> list[str]:
    """How the sentence starts: the kind of picture, or nothing."""
    rate = 0.55 if look == "photo" else 0.75
    named = corruption != "none" and dice.chance(0.6)
    if dice.chance(rate) or named:
        phrase = dice.either(STYLE_PHRASES[look]) if look == "photo" else dice.pick(STYLE_PHRASES[look])
        if named:
            article, rest = phrase.split(" ", 1)
            adjective = dice.pick(CORRUPTION_NAMES[corruption])
            phrase = f"the {adjective} {rest}" if article == "the" else with_article(f"{adjective} {rest}")
        return [phrase]
    return [dice.either(("there is", "this is", "here is", "we see"))] if dice.chance(0.15) else []


def _noun_phrase(dice: _Dice, row: _Row, look: str, detail: float) -> list[str]:
    """A thing with as much about it as the caption has patience for."""
    count, thing, colour, second, texture, radius = row
    name = _name(dice, THINGS[thing])
    before, after = [], []
    if dice.chance(0.08 + 0.22 * detail) and count == 1 and (radius < 10 or radius > 15.5):
        before.append(dice.pick(("small", "little", "tiny")) if radius < 10 else dice.pick(("large", "big", "huge")))
    coloured = look not in _COLOURLESS and dice.chance(0.5 + 0.4 * detail)
    textured = texture > 0 and look != "silhouette" and dice.chance(0.55 + 0.35 * detail)
    adjective = dice.pick(TEXTURE_NAMES[TEXTURES[texture]]) if textured else ""
    shade = dice.pick(COLOUR_NAMES[_COLOURS[colour]])
    both = coloured and texture > 0 and dice.chance(0.15 + 0.3 * detail)
    if both:
        shade += " and " + dice.pick(COLOUR_NAMES[_COLOURS[second]])
    if textured and dice.chance(0.25):
        after = ["with a", adjective, dice.pick(("pattern", "texture"))] if dice.chance(0.8) else [", " + adjective]
        adjective = ""
    pair = [shade if coloured else "", adjective]
    before += [word for word in (pair if dice.chance(0.6) else pair[::-1]) if word]
    if count > 1:
        number = COUNTS[count - 1] if dice.chance(0.85) else dice.either(("several", "some", "many"))
        return [number, *before, plural(name), *after]
    article = dice.pick(("a", "the", "one"))
    is_glyph = " " in name and name.split(" ")[-2] in ("digit", "number", "letter")
    if is_glyph and dice.chance(0.6):
        article = "the"
    phrase = " ".join([*before, name])
    text = with_article(phrase) if article == "a" else f"{article} {phrase}"
    if after and after[0].startswith(","):
        return [text + after[0]]
    if after:
        after = [with_article(" ".join(after[1:]))]
        return [text, "with", *after]
    return [text]


def _name(dice: _Dice, thing: str) -> str:
    names = NAMES.get(thing) or glyph_names(thing)
    name = dice.pick(names)
    if dice.chance(0.04):
        return _KIND_OF.get(thing, thing.split(" ")[0] if " " in thing else "shape")
    return name


def _setting(dice: _Dice, background: int, wall: int, rate: float) -> list[str]:
    """Where it is, if that is mentioned."""
    if not dice.chance(rate):
        return []
    if background:
        return [dice.pick(BACKGROUND_PHRASES[BACKGROUNDS[background]])]
    if wall < 0:
        return []
    shade = dice.pick(COLOUR_NAMES[_COLOURS[wall]])
    return [dice.either(("on", "against", "in front of")), with_article(f"{shade} {dice.pick(('background', 'wall'))}")]
