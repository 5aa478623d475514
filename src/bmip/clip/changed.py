"""A CLIP with other modules in some places. It shares everything else with the one that it is made of."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def changed(module: M, parts: Mapping[str, nn.Module]) -> M:
    """A module of the same kind in which these parts stand in the places of these dotted names.

    All other submodules and all parameters are those of `module`, which is not changed. Raises ValueError for a place
    that does not exist.
    """
    inside: defaultdict[str, dict[str, nn.Module]] = defaultdict(dict)
    for name, part in parts.items():
        head, _, rest = name.partition(".")
        inside[head][rest] = part
    other = copy.copy(module)
    other._modules = dict(module._modules)
    for head, inner in inside.items():
        if head not in other._modules:
            raise ValueError(f"{type(module).__name__} has no part {head!r}: it has {', '.join(other._modules)}")
        own = other._modules[head]
        other._modules[head] = inner[""] if "" in inner or own is None else changed(own, inner)
    return other
