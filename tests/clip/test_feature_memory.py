"""Features are remembered for the very same batch, up to so many bytes, and nothing else changes."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bmip.clip.feature_memory import FeatureMemory


class Tower:
    """Its features are the means of the images' colours; it counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, pixels: Tensor) -> Tensor:
        self.calls += 1
        return pixels.mean((2, 3))


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(0, 5))
def test_any_order_of_batches_gives_the_features_of_each(order: list[int], kept: int) -> None:
    batches = [torch.full((2, 3, 4, 4), float(number)) for number in range(7)]
    memory, tower, recent = FeatureMemory(kept * 2 * 3 * 4), Tower(), []
    for number in order:
        calls = tower.calls
        found = memory.features(batches[number], lambda pixels=batches[number]: tower(pixels))
        torch.testing.assert_close(found, batches[number].mean((2, 3)), rtol=0, atol=0)
        assert tower.calls == calls + (number not in recent), "what was used last is kept, and no more than fits"
        recent = ([number, *(one for one in recent if one != number)])[:kept]


def test_the_same_images_in_another_batch_are_computed_anew() -> None:
    memory, tower, pixels = FeatureMemory(), Tower(), torch.rand(4, 3, 8, 8)
    whole = memory.features(pixels, lambda: tower(pixels))
    half = memory.features(pixels[:2], lambda: tower(pixels[:2]))
    assert tower.calls == 2
    torch.testing.assert_close(half, whole[:2])


def test_a_view_with_strides_is_the_batch_that_it_shows() -> None:
    memory, tower, pixels = FeatureMemory(), Tower(), torch.rand(2, 8, 8, 3)
    moved = pixels.permute(0, 3, 1, 2)
    memory.features(moved, lambda: tower(moved))
    memory.features(moved.contiguous(), lambda: tower(moved))
    assert tower.calls == 1
