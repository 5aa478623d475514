"""The computation of the released BMIP code, plainly: every class's 77 tokens in one sequence, for every batch.

Written from a description of LAMDASZ-ML/BMIP (clip/model.py, trainers/bmip.py) and independent of the towers in
`bmip.clip`: it only reads the same weight tensors and prompts. As there, attention is torch's multi-head function with
`need_weights=True`, so that no fused kernel runs and each block makes its L x L weights; a gated block attends twice,
the first time for the gate alone; in 16 bit the residual stream is 16 bit and only the layer norms are float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bmip.clip.block import Block
from bmip.clip.model import CLIP
from bmip.methods.bmip.prompter import BMIP

CONTEXT = "a photo of a"


class Plain:
    """The released BMIP on the weights of `clip` and the prompts of a BMIP with the `released` preset."""

    def __init__(self, clip: CLIP, prompter: BMIP, names: Sequence[str]) -> None:
        self.clip, self.prompter = clip, prompter
        self.ids = token_ids(clip, names)
        length = self.ids.shape[1]
        self.mask = torch.full((length, length), -torch.inf, device=self.ids.device).triu(1)

    def logits(self, pixels: Tensor) -> Tensor:
        """Of a batch; image features, the prompts and the features of all classes are computed anew."""
        to_image, to_text = self.foreign()
        text, image = self.text_features(to_text), self.image_features(pixels, to_image)
        text, image = (x.float() / x.float().norm(dim=-1, keepdim=True) for x in (text, image))
        return self.clip.logit_scale.exp() * image @ text.T

    def loss(self, pixels: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self.logits(pixels), labels)

    def foreign(self) -> tuple[list[Tensor], list[Tensor]]:
        """Each tower's deeper prompts, projected for the other: those for the image tower, those for the text tower."""
        own = self.prompter
        return (
            [_each_or_shared(own.to_image, j)(own.text[j + 1]) for j in range(len(own.image_gates))],
            [_each_or_shared(own.to_text, j)(own.image[j]) for j in range(len(own.text_gates))],
        )

    def image_features(self, pixels: Tensor, foreign: Sequence[Tensor]) -> Tensor:
        tower, prompter = self.clip.vit, self.prompter
        dtype = tower.patch.weight.dtype
        patches = tower.patch(pixels.to(dtype)).flatten(2).transpose(1, 2)
        start = tower.class_embedding.to(dtype).expand(len(pixels), 1, -1)
        x = torch.cat([start, patches], dim=1) + tower.positional_embedding.to(dtype)
        first = prompter.first_to_image(prompter.text[0]).to(dtype)
        x = norm(tower.ln_pre, torch.cat([x, first.expand(len(pixels), -1, -1)], dim=1))
        slots = len(first)
        x = x.transpose(0, 1)  # (token, image, width)
        content = len(x) - slots
        for i, block in enumerate(tower.blocks):
            j = i - 1
            if 0 <= j < len(prompter.image):
                weights = attend(block, norm(block.ln_1, x), None)[1]  # (image, query, key)
                received = weights[:, :content, content:].mean(dim=(0, 1)).detach()
                share = torch.sigmoid(prompter.image_gates[j].weight * received + prompter.image_gates[j].bias)[:, None]
                new = (share * prompter.image[j] + (1 - share) * foreign[j]).to(dtype)
                x = torch.cat([x[:content], new[:, None].expand(-1, x.shape[1], -1)])
            x = run(block, x, None)
        return F.linear(norm(tower.ln_post, x[0]), tower.projection.weight)

    def text_features(self, foreign: Sequence[Tensor]) -> Tensor:
        tower, prompter = self.clip.text, self.prompter
        dtype = tower.projection.weight.dtype
        words = tower.token_embedding.weight[self.ids].to(dtype)
        slots = len(prompter.text[0])
        first = prompter.text[0].to(dtype).expand(len(words), -1, -1)
        x = torch.cat([words[:, :1], first, words[:, 1 + slots :]], dim=1)
        x = (x + tower.positional_embedding.to(dtype)).transpose(0, 1)  # (token, class, width)
        for i, block in enumerate(tower.blocks):
            j = i - 1
            if 0 <= j < len(prompter.text_gates):
                weights = attend(block, norm(block.ln_1, x), self.mask)[1]  # (class, query, key)
                received = weights[:, 0, 1 : 1 + slots].mean(dim=0).detach()
                share = torch.sigmoid(prompter.text_gates[j].weight * received + prompter.text_gates[j].bias)[:, None]
                new = (share * prompter.text[j + 1] + (1 - share) * foreign[j]).to(dtype)
                x = torch.cat([x[:1], new[:, None].expand(-1, x.shape[1], -1), x[1 + slots :]])
            x = run(block, x, self.mask)
        x = norm(tower.ln_final, x.transpose(0, 1))
        ends = x[torch.arange(len(x), device=x.device), self.ids.argmax(dim=-1)]
        return F.linear(ends, tower.projection.weight)


def token_ids(clip: CLIP, names: Sequence[str]) -> Tensor:
    """(class, context); [end] has the highest id, what follows it is 0."""
    tokenizer = clip.tokenizer
    ids = torch.zeros(len(names), clip.config.context, dtype=torch.int64)
    for row, name in zip(ids, names, strict=True):
        words = name.replace("_", " ")
        tokens = [tokenizer.start, *tokenizer.encode(f"{CONTEXT} {words}."), tokenizer.end]
        row[: len(tokens)] = torch.tensor(tokens)
    return ids.to(clip.device)


def run(block: Block, x: Tensor, mask: Tensor | None) -> Tensor:
    x = x + attend(block, norm(block.ln_1, x), mask)[0]
    hidden = F.linear(norm(block.ln_2, x), block.up.weight, block.up.bias.to(x.dtype))
    hidden = hidden * torch.sigmoid(1.702 * hidden)
    return x + F.linear(hidden, block.down.weight, block.down.bias.to(x.dtype))


def attend(block: Block, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """The mixture, and the attention averaged over heads."""
    mixed, weights = F.multi_head_attention_forward(
        x, x, x, x.shape[-1], block.heads, block.qkv.weight, block.qkv.bias.to(x.dtype), None, None, False, 0.0,
        block.out.weight, block.out.bias.to(x.dtype),
        need_weights=True, attn_mask=None if mask is None else mask.to(x.dtype),
    )  # fmt: skip
    assert weights is not None
    return mixed, weights


def norm(layer: nn.LayerNorm, x: Tensor) -> Tensor:
    return F.layer_norm(x.float(), layer.normalized_shape, layer.weight, layer.bias, layer.eps).to(x.dtype)


def _each_or_shared(layers: nn.ModuleList, j: int) -> nn.Module:
    return layers[j] if len(layers) > 1 else layers[0]
