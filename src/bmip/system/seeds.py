"""Draws that follow from named numbers alone, whatever was drawn before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def check_seed(seed: int) -> None:
    """Raises ValueError for a seed below 0: Python's generator draws the same for -1 as for 1."""
    if seed < 0:
        raise ValueError(f"the seed is {seed}; it must be 0 or more")


def seed_of(*parts: int | str) -> int:
    """A seed of 63 bits from several numbers or words, so that neighbouring numbers give unrelated seeds."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "little") >> 1


@contextmanager
def seeded(device: torch.device, *parts: int | str) -> Iterator[None]:
    """What torch's global generators draw within follows from `parts`; afterwards they go on as if nothing had been."""
    import torch  # others need `check_seed` alone

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed_of(*parts))
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed_of(*parts))
        elif device.type == "mps":
            torch.mps.manual_seed(seed_of(*parts))
        yield
