"""The image tower: a vision transformer whose sequence is [class token, patches, prompt slots]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.block import Activation, Block, Blocks, LayerNorm, Projected, attend, join, received
from bmip.clip.linear import Linear
from bmip.clip.prompts import Entering, LayerView, Prompt, check_layers, resolve, slots_of

Asking = slice | Tensor
"""The tokens whose results are needed."""


class ImageTower(nn.Module):
    """CLIP's vision transformer.

    Args:
        size: side of the square images, in pixels.
        patch: side of the squares that become tokens.
        width: channels of a token.
        layers: number of blocks.
        heads: attention heads of each block.
        out: channels of the features.
        activation: of the blocks' MLP.
    """

    def __init__(
        self, *, size: int, patch: int, width: int, layers: int, heads: int, out: int, activation: Activation
    ) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((size // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = LayerNorm(width), LayerNorm(width)
        self.blocks = Blocks(Block(width, heads, activation) for _ in range(layers))
        self.projection = Linear(width, out, bias=False)

    @property
    def width(self) -> int:
        """Channels of a token."""
        return self.class_embedding.shape[0]

    def forward(
        self,
        pixels: Float[Tensor, "image 3 size size"],
        prompts: Sequence[Prompt] = (),
        *,
        watch: Callable[[int, Projected], None] | None = None,
    ) -> Float[Tensor, "image out"]:
        """Features before normalisation, read at the class token: `read` without the slots.

        `watch` is given the number of each layer, counted from 0, and what its attention is computed from.
        """
        return self.projection(self.ln_post(self._run(pixels, prompts, watch=watch)[:, 0]))

    def read(
        self, pixels: Float[Tensor, "image 3 size size"], prompts: Sequence[Prompt]
    ) -> tuple[Float[Tensor, "image out"], Float[Tensor, "image slot width"]]:
        """Features before normalisation, read at the class token, and what stands in the slots above the last layer.

        The slots pass the last layer norm, as the class token does. They stand behind the patches, from the layer of
        the first prompt on, and get no positional embedding, as in the code of the CoOp family. Raises ValueError for
        more prompts than layers, and where the first prompt reads attention.
        """
        x = self.ln_post(self._run(pixels, prompts, slots=True))
        return self.projection(x[:, 0]), x[:, 1:]

    def _run(
        self,
        pixels: Tensor,
        prompts: Sequence[Prompt],
        *,
        slots: bool = False,
        watch: Callable[[int, Projected], None] | None = None,
    ) -> Tensor:
        """The class token above the last layer, and with `slots` behind it what stands in them."""
        check_layers("image", prompts, len(self.blocks))
        x = self._embed(pixels)
        content = x.shape[-2]
        behind = range(content, content + slots_of(prompts))
        ends = torch.tensor([0, *behind], device=x.device) if slots else slice(1)
        for i, block in enumerate(self.blocks):
            last = i == len(self.blocks) - 1
            asks = ends if last else slice(None)  # nothing reads the other tokens above the last block
            prompt = prompts[i] if i < len(prompts) else None
            if prompt is None:
                seen = block.project(x, x[:, ends] if last else None)
            else:
                x, seen = self._with_prompt(i, block, x, content, prompt, asks)
            if watch is not None:
                watch(i, seen)
            x = block.finish(x[:, asks], attend(*seen))
        return x

    def _embed(self, pixels: Tensor) -> Tensor:
        patches = self.patch(pixels.to(self.patch.weight.dtype)).flatten(2).transpose(1, 2)
        return self.ln_pre(join(self.class_embedding[None], patches) + self.positional_embedding)

    def _with_prompt(
        self, i: int, block: Block, x: Tensor, content: int, prompt: Entering, asks: Asking
    ) -> tuple[Tensor, Projected]:
        """The sequence with new prompt tokens in its slots, and its projections, which a prompt can read, too."""
        slots = x.shape[-2] - content
        packed = block.pack(x)

        def look() -> Tensor:
            if not slots:
                raise ValueError(
                    f"layer {i} has no prompts in its slots yet: only prompts of layers above the first can read "
                    "attention"
                )
            with torch.no_grad():
                q, k, _ = block.unpack(packed)
                return received(q[:, :content], k, slice(content, None))

        new = resolve(prompt, LayerView(i, content + slots, look, lambda: x[:, content:]), slots)
        if i == 0:
            new = self.ln_pre(new)  # CLIP normalises what enters at the bottom; deeper layers expect it raw
        fresh = block.pack(new)
        if slots and not torch.compiler.is_compiling():
            packed[:, content:] = fresh  # in place, which copies least: the look was the only one to read these rows
        else:  # in a traced program, writing in place becomes a scatter, which is slower than joining
            packed = join(packed[:, :content], fresh, axis=-4)
        q, k, v = block.unpack(packed)
        return join(x[:, :content], new), Projected(q[:, asks], k, v)
