"""Pre-training batches: the same everywhere, in range, and varied."""

import torch

from bmip.world import ATTRIBUTES, sample


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = sample(96, seed=3), sample(96, seed=3)
    assert torch.equal(first.images, second.images)
    assert first.captions == second.captions
    assert all(torch.equal(first.attributes[name], second.attributes[name]) for name in ATTRIBUTES)
