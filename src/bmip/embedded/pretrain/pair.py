"""CLIP in pre-training: the loss of a batch of pairs, with heads that predict attributes.

The towers' own forward passes are made for class lists and prompts. The functions here run the same modules over whole
sentences of many pairs; tests compare both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from bmip.clip.block import LayerNorm, attend, join
from bmip.clip.image import ImageTower
from bmip.clip.model import CLIP
from bmip.clip.text import TextTower
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.attributes import ATTRIBUTES

WEIGHTS = {"thing": 0.6, "other": 0.3}
_WEIGHT = 0.1
"""Weight of the other attributes. Things weigh more, for colours and places are easy."""

_IN_FLOAT32 = ("embedding", "logit_scale")  # gradients of common tokens would be lost in sums of bfloat16


@dataclass(frozen=True)
class Sentences:
    """Some captions of a batch, of about the same length."""

    rows: Int64[Tensor, " sentence"]
    """The index of each sentence's pair in the batch."""

    ids: Int64[Tensor, "sentence token"]
    """Token ids. What follows the end token has no effect, since the mask is causal."""

    ends: Int64[Tensor, " sentence"]
    """The position of each end token."""


def sentences(captions: Sequence[str], tokenizer: Tokenizer, *, context: int, parts: int = 4) -> tuple[Sentences, ...]:
    """Captions as token ids, sorted by length and divided into parts. More than `context` tokens are cut off."""
    ids = [(tokenizer.start, *tokenizer.encode(caption)[: context - 2], tokenizer.end) for caption in captions]
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    found = []
    for part in torch.tensor(order).tensor_split(parts):
        rows = part.tolist()
        if rows:
            longest = len(ids[rows[-1]])
            padded = [ids[row] + (tokenizer.end,) * (longest - len(ids[row])) for row in rows]
            ends = torch.tensor([len(ids[row]) - 1 for row in rows])
            found.append(Sentences(part, torch.tensor(padded), ends))
    return tuple(found)


def text_features(tower: TextTower, part: Sentences) -> Float[Tensor, "sentence out"]:
    """The features of whole sentences, read at the end token, before normalisation. There are no prompts."""
    tokens = part.ids.shape[1]
    x = tower.token_embedding(part.ids) + tower.positional_embedding[:tokens]
    x = x.to(tower.ln_final.weight.dtype)
    each = torch.arange(len(part.ids), device=x.device)
    mask = torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).tril()
    *blocks, last = tower.blocks
    for block in blocks:
        x = block.finish(x, attend(*block.project(x), mask=mask))
    ends = x[each, part.ends][:, None]
    seen = torch.arange(tokens, device=x.device) <= part.ends[:, None]
    x = last.finish(ends, attend(*last.project(x, ends), mask=seen[:, None]))
    return tower.projection(tower.ln_final(x[:, 0]))


def image_features(
    tower: ImageTower, pixels: Float[Tensor, "image 3 size size"]
) -> tuple[Float[Tensor, "image out"], Float[Tensor, "image width"]]:
    """The features before normalisation, and the mean of the patch tokens that enter the last block."""
    patches = tower.patch(pixels.to(tower.patch.weight.dtype)).flatten(2).transpose(1, 2)
    x = tower.ln_pre(join(tower.class_embedding[None], patches) + tower.positional_embedding)
    *blocks, last = tower.blocks
    for block in blocks:
        x = block.finish(x, attend(*block.project(x)))
    first = last.finish(x[:, :1], attend(*last.project(x, x[:, :1])))
    return tower.projection(tower.ln_post(first[:, 0])), x[:, 1:].mean(1)


class AttributeHeads(nn.Module):
    """Predicts the attributes of an image from features. Only pre-training uses it."""

    def __init__(self, width: int, draws: torch.Generator) -> None:
        super().__init__()
        self.norm = LayerNorm(width)
        self.widths = [len(names) for names in ATTRIBUTES.values()]
        self.linear = nn.Linear(width, sum(self.widths))
        nn.init.normal_(self.linear.weight, std=width**-0.5, generator=draws)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Float[Tensor, "image width"]) -> Float[Tensor, "image option"]:
        return self.linear(self.norm(features))

    def loss(self, said: Float[Tensor, "image option"], truth: Int64[Tensor, "attribute image"]) -> Float[Tensor, ""]:
        """The weighted sum of the attributes' cross-entropies, as a mean over images.

        A label of -1 means that the image does not show the attribute; it does not count.
        """
        parts = [
            WEIGHTS.get(name, _WEIGHT) * F.cross_entropy(part, label, ignore_index=-1, reduction="sum")
            for name, part, label in zip(ATTRIBUTES, said.float().split(self.widths, dim=1), truth, strict=True)
        ]
        return torch.stack(parts).sum() / truth.shape[1]


class Pair(nn.Module):
    """A CLIP with its attribute heads, which computes the loss of a batch."""

    def __init__(self, clip: CLIP, *, seed: int) -> None:
        super().__init__()
        self.clip = clip
        draws = torch.Generator().manual_seed(seed)
        self.on_class = AttributeHeads(clip.config.out, draws)
        self.on_patches = AttributeHeads(clip.config.image_width, draws)

    def forward(
        self,
        pixels: Float[Tensor, "image 3 size size"],
        texts: Sequence[Sentences],
        truth: Int64[Tensor, "attribute image"],
        same: Bool[Tensor, "image image"],
        attribute_share: float,
    ) -> dict[str, Float[Tensor, ""]]:
        """The losses by name, and as "found" the share of images whose own caption is the most similar one."""
        image, patches = image_features(self.clip.vit, pixels)
        text = torch.cat([text_features(self.clip.text, part) for part in texts])
        text = text[torch.cat([part.rows for part in texts]).argsort()]
        logits = self.clip.scale * _unit(image) @ _unit(text).T
        parts = {"contrast": contrast(logits, same)}
        if attribute_share:
            by_class = self.on_class.loss(self.on_class(image), truth)
            by_patches = self.on_patches.loss(self.on_patches(patches), truth)
            parts["attributes"] = attribute_share * (by_class + by_patches) / 2
        with torch.no_grad():
            own = logits.masked_fill(same & ~_diagonal(logits), -torch.inf)
            parts["found"] = (own.argmax(1) == torch.arange(len(own), device=own.device)).float().mean()
        return parts


def contrast(logits: Float[Tensor, "image text"], same: Bool[Tensor, "image text"]) -> Float[Tensor, ""]:
    """CLIP's loss. A caption that equals an image's own is not a wrong answer and is left out."""
    logits = logits.masked_fill(same & ~_diagonal(logits), -torch.inf)
    labels = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def equal_captions(captions: Sequence[str]) -> Bool[Tensor, "text text"]:
    """Whether two captions are the same text, for all pairs of captions."""
    number = {caption: n for n, caption in enumerate(captions)}
    numbers = torch.tensor([number[caption] for caption in captions])
    return numbers[:, None] == numbers


def in_type(pair: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    """A module's weights in another type, for `torch.func.functional_call`. Embeddings and scale stay as they are."""
    return {
        name: weight if any(word in name for word in _IN_FLOAT32) else weight.to(dtype)
        for name, weight in pair.named_parameters()
    }


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features.float(), dim=-1)


def _diagonal(logits: Tensor) -> Tensor:
    return torch.eye(len(logits), dtype=torch.bool, device=logits.device)
