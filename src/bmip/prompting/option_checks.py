"""Checks of a method's options against the towers, and against what makes sense."""

from __future__ import annotations

from typing import Any


def check_slots(slots: int, tower: str) -> None:
    """Raises ValueError for fewer than one slot."""
    if slots < 1:
        raise ValueError(f"{slots} slots in the {tower} tower: it needs at least one")


def check_top(top: int, layers: int, tower: str) -> None:
    """Raises ValueError for a number of upper layers outside 1 to `layers`."""
    if not 1 <= top <= layers:
        raise ValueError(f"top {top} does not fit the {tower} tower: choose 1 to {layers} of its upper layers")


def check_depth(depth: int, layers: int, tower: str) -> None:
    """Raises ValueError for a depth outside 1 to `layers`."""
    if not 1 <= depth <= layers:
        raise ValueError(
            f"depth {depth} does not fit the {tower} tower: it has {layers} layers, so choose 1 to {layers}"
        )


def check_positive(config: Any, *options: str) -> None:
    """Raises ValueError unless each of these options is a whole number above 0."""
    for option in options:
        if getattr(config, option) < 1:
            raise ValueError(f"{option} is {getattr(config, option)}: choose 1 or more")


def check_share(config: Any, option: str) -> None:
    """Raises ValueError unless the option is a share, 0 to 1."""
    if not 0 <= getattr(config, option) <= 1:
        raise ValueError(f"{option} is {getattr(config, option)}: choose a share from 0 to 1")


def check_heads(heads: int, width: int, which: str) -> None:
    """Raises ValueError unless so many attention heads divide the width."""
    if heads < 1 or width % heads:
        raise ValueError(f"{heads} heads do not divide the {which} {width}: choose a number that does")


def check_passes(passes: int) -> None:
    """Raises ValueError for less than 0 augmented copies of each training image."""
    if passes < 0:
        raise ValueError(f"{passes} passes: choose 0 for the centre square, or more")
