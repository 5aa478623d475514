"""The computation of the released CoCoOp, plainly: every class's 77 tokens in one sequence, for every image anew.

Written from a description of KaiyangZhou/CoOp (trainers/cocoop.py) and independent of the towers in `bmip.clip`: it
only reads the same weights. The image tower and attention are those of CLIP, which keeps no attention weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.plain import norm, token_ids
from bmip.clip.block import Block
from bmip.clip.model import CLIP
from bmip.methods.cocoop import CoCoOp


class PlainCoCoOp:
    """The released CoCoOp on the weights of `clip` and the learned tensors of our prompter."""

    def __init__(self, clip: CLIP, prompter: CoCoOp, names: Sequence[str]) -> None:
        self.clip, self.prompter = clip, prompter
        self.ids = token_ids(clip, names)
        length = self.ids.shape[1]
        self.mask = torch.full((length, length), -torch.inf, device=self.ids.device).triu(1)

    def logits(self, pixels: Tensor) -> Tensor:
        image = self.image_features(pixels)
        image = image / image.norm(dim=-1, keepdim=True)
        rows = []
        for feature in image:
            text = self.text_features(self.prompter.context + self.prompter.shift(feature))
            text = text / text.norm(dim=-1, keepdim=True)
            rows.append(self.clip.logit_scale.exp() * feature @ text.T)
        return torch.stack(rows)

    def loss(self, pixels: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self.logits(pixels), labels)

    def image_features(self, pixels: Tensor) -> Tensor:
        tower = self.clip.vit
        patches = tower.patch(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([tower.class_embedding.expand(len(pixels), 1, -1), patches], dim=1) + tower.positional_embedding
        x = norm(tower.ln_pre, x).transpose(0, 1)  # (token, image, width)
        for block in tower.blocks:
            x = _run(block, x, None)
        return F.linear(norm(tower.ln_post, x[0]), tower.projection.weight)

    def text_features(self, context: Tensor) -> Tensor:
        tower, slots = self.clip.text, len(context)
        words = tower.token_embedding.weight[self.ids]
        x = torch.cat([words[:, :1], context.expand(len(words), -1, -1), words[:, 1 + slots :]], dim=1)
        x = (x + tower.positional_embedding).transpose(0, 1)  # (token, class, width)
        for block in tower.blocks:
            x = _run(block, x, self.mask)
        x = norm(tower.ln_final, x.transpose(0, 1))
        return F.linear(x[torch.arange(len(x)), self.ids.argmax(dim=-1)], tower.projection.weight)


def _run(block: Block, x: Tensor, mask: Tensor | None) -> Tensor:
    y = norm(block.ln_1, x)
    mixed, _ = F.multi_head_attention_forward(
        y, y, y, y.shape[-1], block.heads, block.qkv.weight, block.qkv.bias, None, None, False, 0.0,
        block.out.weight, block.out.bias, need_weights=False, attn_mask=mask,
    )  # fmt: skip
    x = x + mixed
    hidden = F.linear(norm(block.ln_2, x), block.up.weight, block.up.bias)
    return x + F.linear(hidden * torch.sigmoid(1.702 * hidden), block.down.weight, block.down.bias)
