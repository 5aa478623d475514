"""Class names and templates of the world's data sets."""

import numpy as np

from bmip.embedded.world.odds import Draws
from bmip.embedded.world.vocabulary import THINGS
from bmip.embedded.world.words import NAMES

PHOTO: dict[str, float] = {"photo": 0.65, "cartoon": 0.35}
NAMED = ("a photo of a {}.", "a {}.", "a picture of the {}.", "this is a {}.", "an image of a {}.")
BARE = ("a photo of {}.", "{}.", "a picture of {}.", "there is {}.", "an image of {}.")


def things_of(names: tuple[str, ...]) -> Draws:
    return np.array([THINGS.index(name) for name in names])


def called(thing: str) -> str:
    """The usual name in captions; the name in the code where captions have none."""
    return NAMES.get(thing, (thing,))[0]


def fixed_order(count: int, seed: int) -> list[int]:
    """A fixed order, so that the first half of the classes mixes with the second."""
    return np.random.default_rng(seed).permutation(count).tolist()


def mixed(seen: tuple[str, ...], held_out: tuple[str, ...], seed: int) -> tuple[str, ...]:
    names = seen + held_out
    return tuple(names[k] for k in fixed_order(len(names), seed))
