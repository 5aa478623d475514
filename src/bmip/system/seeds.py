"""Draws that follow from named numbers alone, whatever was drawn before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def seed_of(*parts: int | str) -> int:
    """A seed of 63 bits from several numbers or words, so that neighbouring numbers give unrelated seeds."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "little") >> 1


@contextmanager
def seeded(device: torch.device, *parts: int | str) -> Iterator[None]:
    """What torch's global generators draw within follows from `parts`; afterwards they go on as if nothing had been."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed_of(*parts))
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed_of(*parts))
        elif device.type == "mps":
            torch.mps.manual_seed(seed_of(*parts))
        yield
