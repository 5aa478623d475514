"""The world's data sets by name. The list was fixed before any accuracy on a test split was computed."""

import difflib
from functools import cache

from bmip.embedded.world.cuts import all_cuts
from bmip.embedded.world.variants import shapes_and_variants
from bmip.embedded.world.worldset import WorldSet


def world_names() -> tuple[str, ...]:
    """All data sets of the world."""
    return tuple(_sets())


def load_world(name: str) -> WorldSet:
    """A data set by name."""
    if name not in _sets():
        near = difflib.get_close_matches(name, _sets(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"the world has no data set {name!r}{hint} It has {', '.join(_sets())}")
    return _sets()[name]


@cache
def _sets() -> dict[str, WorldSet]:
    return {one.name: one for one in [*shapes_and_variants(), *all_cuts()]}
