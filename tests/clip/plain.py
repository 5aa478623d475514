"""CLIP as one would write it first: one sequence at a time, every token in it, attention as a matrix.

On the towers' weights but none of their code; the oracle for the two streams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.clip.model import CLIP


def attention(block: torch.nn.Module, x: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    """(head, token, token) probabilities of one sequence, and what they mix, (token, width)."""
    y = F.layer_norm(x, x.shape[-1:], block.ln_1.weight, block.ln_1.bias)
    q, k, v = (y @ block.qkv.weight.T + block.qkv.bias).chunk(3, dim=-1)
    q, k, v = (t.reshape(len(x), block.heads, -1).transpose(0, 1) for t in (q, k, v))
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
    if causal:
        scores = scores + torch.full_like(scores[0], -math.inf).triu(1)
    probabilities = scores.softmax(-1)
    return probabilities, (probabilities @ v).transpose(0, 1).reshape(len(x), -1)


def block(module: torch.nn.Module, x: Tensor, causal: bool) -> Tensor:
    x = x + attention(module, x, causal)[1] @ module.out.weight.T + module.out.bias
    y = F.layer_norm(x, x.shape[-1:], module.ln_2.weight, module.ln_2.bias)
    y = y @ module.up.weight.T + module.up.bias
    return x + (y * torch.sigmoid(1.702 * y)) @ module.down.weight.T + module.down.bias


def start(clip: CLIP, ids: Sequence[int], slots: Sequence[int], prompt: Tensor | None) -> Tensor:
    """The embedded sentence, with `prompt` (slot, width) at the tokens whose slot number is not -1."""
    x = clip.text.token_embedding.weight[torch.tensor(ids)]
    return enter(x, slots, prompt) + clip.text.positional_embedding[: len(ids)]


def enter(x: Tensor, slots: Sequence[int], prompt: Tensor | None) -> Tensor:
    if prompt is None:
        return x
    return torch.stack([row if k < 0 else prompt[k] for row, k in zip(x, slots, strict=True)])


def text_feature(clip: CLIP, ids: Sequence[int], slots: Sequence[int], prompts: Sequence[Tensor | None]) -> Tensor:
    x = start(clip, ids, slots, prompts[0] if prompts else None)
    for i, module in enumerate(clip.text.blocks):
        if 0 < i < len(prompts):
            x = enter(x, slots, prompts[i])
        x = block(module, x, causal=True)
    return text_end(clip, x)


def inserted_text_feature(clip: CLIP, ids: Sequence[int], prompts: Sequence[Tensor | None]) -> Tensor:
    """The prompts (slot, width) are tokens behind the start token, from the layer of the first one on."""
    x, slots = start(clip, ids, [-1] * len(ids), None), 0
    for i, module in enumerate(clip.text.blocks):
        prompt = prompts[i] if i < len(prompts) else None
        if prompt is not None:
            x, slots = torch.cat([x[:1], prompt, x[1 + slots :]]), len(prompt)
        x = block(module, x, causal=True)
    return text_end(clip, x)


def text_end(clip: CLIP, x: Tensor) -> Tensor:
    x = F.layer_norm(x, x.shape[-1:], clip.text.ln_final.weight, clip.text.ln_final.bias)
    return x[-1] @ clip.text.projection.weight.T


def image_start(clip: CLIP, pixels: Tensor, prompt: Tensor | None) -> Tensor:
    tower = clip.image
    patches = F.conv2d(pixels[None], tower.patch.weight, stride=tower.patch.kernel_size)[0].flatten(1).T
    x = torch.cat([tower.class_embedding[None], patches]) + tower.positional_embedding
    if prompt is not None:
        x = torch.cat([x, prompt])
    return F.layer_norm(x, x.shape[-1:], tower.ln_pre.weight, tower.ln_pre.bias)


def image_feature(clip: CLIP, pixels: Tensor, prompts: Sequence[Tensor | None]) -> Tensor:
    """Of one image (3, size, size); prompts (slot, width)."""
    return image_end(clip, image_tokens(clip, pixels, prompts))


def image_tokens(clip: CLIP, pixels: Tensor, prompts: Sequence[Tensor | None]) -> Tensor:
    """All tokens above the last layer."""
    x = image_start(clip, pixels, prompts[0] if prompts else None)
    content = len(clip.image.positional_embedding)
    for i, module in enumerate(clip.image.blocks):
        prompt = prompts[i] if i < len(prompts) else None
        if i and prompt is not None:
            x = torch.cat([x[:content], prompt])
        x = block(module, x, causal=False)
    return x


def image_end(clip: CLIP, x: Tensor) -> Tensor:
    tower = clip.image
    return F.layer_norm(x[0], x.shape[-1:], tower.ln_post.weight, tower.ln_post.bias) @ tower.projection.weight.T
