"""A CLIP with other modules in some places shares the rest, and the one that it is made of stays as it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bmip.clip.changed import changed
from bmip.testing.case import new_vit


class Doubled(nn.Module):
    def __init__(self, own: nn.Module) -> None:
        super().__init__()
        self.own = own

    def forward(self, x: Tensor) -> Tensor:
        return 2 * self.own(x)


def test_everything_else_is_shared() -> None:
    clip = new_vit()
    pixels = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    before = clip.encode_image(pixels)
    out = clip.vit.blocks[1].get_submodule("out")
    other = changed(clip, {"image.blocks.1.out": Doubled(out), "image.blocks.2.beside": nn.Identity()})
    assert other.text is clip.text and other.vit.blocks[0] is clip.vit.blocks[0]
    assert {id(p) for p in other.parameters()} == {id(p) for p in clip.parameters()}
    assert torch.equal(clip.encode_image(pixels), before)
    found = other.encode_image(pixels)
    copy = new_vit()
    with torch.no_grad():
        for parameter in copy.vit.blocks[1].get_submodule("out").parameters():
            parameter *= 2
    block = copy.vit.blocks[2]
    block.register_module("beside", nn.Identity())
    torch.testing.assert_close(found, copy.encode_image(pixels), atol=1e-12, rtol=0)
    block.register_module("beside", None)
    assert (found - copy.encode_image(pixels)).abs().max() > 1e-6


def test_a_place_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="Block has no part 'mlp': it has ln_1, ln_2, qkv, out, up, down, beside"):
        changed(new_vit(), {"text.blocks.0.mlp.up": nn.Identity()})
