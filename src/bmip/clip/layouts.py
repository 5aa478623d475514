"""How CLIP's weights are named in the files of bmip, OpenAI (and open_clip) and `transformers`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bmip.clip.backbones import BackboneError

_BLOCK = re.compile(r"(image|text)\.blocks\.(\d+)\.(\w+)\.(weight|bias)")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The names one kind of file uses for ours; a name of ours may stand for several of its tensors, stacked."""

    name: str
    marker: str
    """A key that only this layout has."""
    single: Mapping[str, str]
    """Our name to theirs, outside the blocks."""
    blocks: Mapping[str, str]
    """Our tower to the prefix of its blocks."""
    parts: Mapping[str, tuple[str, ...]]
    """Our part of a block to theirs; {} stands for weight or bias."""
    transposed: frozenset[str] = frozenset()
    """Names of ours that the file holds with rows and columns exchanged."""
    ignored: frozenset[str] = frozenset()
    """Keys of theirs that hold no weights."""

    def names(self, ours: str) -> tuple[str, ...]:
        """Their keys for one of ours."""
        if block := _BLOCK.fullmatch(ours):
            tower, number, part, kind = block.groups()
            return tuple(f"{self.blocks[tower]}{number}.{theirs.format(kind)}" for theirs in self.parts[part])
        return (self.single[ours],)

    def layers(self, tower: str, found: Iterable[str]) -> int:
        prefix = self.blocks[tower]
        numbers = {key[len(prefix) :].split(".")[0] for key in found if key.startswith(prefix)}
        return sum(number.isdigit() for number in numbers)

    def read(self, ours: str, found: Mapping[str, Tensor]) -> Tensor:
        tensors = [found[name] for name in self.names(ours)]
        tensor = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
        return tensor.t() if ours in self.transposed else tensor


_NAMES = (
    "logit_scale",
    "image.class_embedding",
    "image.positional_embedding",
    "image.patch.weight",
    "image.ln_pre.weight",
    "image.ln_pre.bias",
    "image.ln_post.weight",
    "image.ln_post.bias",
    "image.projection.weight",
    "text.token_embedding.weight",
    "text.positional_embedding",
    "text.ln_final.weight",
    "text.ln_final.bias",
    "text.projection.weight",
)

BMIP = Layout(
    name="bmip",
    marker="image.class_embedding",
    single={name: name for name in _NAMES},
    blocks={"image": "image.blocks.", "text": "text.blocks."},
    parts={part: (part + ".{}",) for part in ("ln_1", "qkv", "out", "ln_2", "up", "down")},
)

OPENAI = Layout(
    name="OpenAI",
    marker="visual.class_embedding",
    single={
        "logit_scale": "logit_scale",
        "image.class_embedding": "visual.class_embedding",
        "image.positional_embedding": "visual.positional_embedding",
        "image.patch.weight": "visual.conv1.weight",
        "image.ln_pre.weight": "visual.ln_pre.weight",
        "image.ln_pre.bias": "visual.ln_pre.bias",
        "image.ln_post.weight": "visual.ln_post.weight",
        "image.ln_post.bias": "visual.ln_post.bias",
        "image.projection.weight": "visual.proj",
        "text.token_embedding.weight": "token_embedding.weight",
        "text.positional_embedding": "positional_embedding",
        "text.ln_final.weight": "ln_final.weight",
        "text.ln_final.bias": "ln_final.bias",
        "text.projection.weight": "text_projection",
    },
    blocks={"image": "visual.transformer.resblocks.", "text": "transformer.resblocks."},
    parts={
        "ln_1": ("ln_1.{}",),
        "qkv": ("attn.in_proj_{}",),
        "out": ("attn.out_proj.{}",),
        "ln_2": ("ln_2.{}",),
        "up": ("mlp.c_fc.{}",),
        "down": ("mlp.c_proj.{}",),
    },
    transposed=frozenset({"image.projection.weight", "text.projection.weight"}),
    ignored=frozenset({"input_resolution", "context_length", "vocab_size"}),
)

TRANSFORMERS = Layout(
    name="transformers",
    marker="vision_model.embeddings.class_embedding",
    single={
        "logit_scale": "logit_scale",
        "image.class_embedding": "vision_model.embeddings.class_embedding",
        "image.positional_embedding": "vision_model.embeddings.position_embedding.weight",
        "image.patch.weight": "vision_model.embeddings.patch_embedding.weight",
        "image.ln_pre.weight": "vision_model.pre_layrnorm.weight",  # spelled so
        "image.ln_pre.bias": "vision_model.pre_layrnorm.bias",
        "image.ln_post.weight": "vision_model.post_layernorm.weight",
        "image.ln_post.bias": "vision_model.post_layernorm.bias",
        "image.projection.weight": "visual_projection.weight",
        "text.token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "text.positional_embedding": "text_model.embeddings.position_embedding.weight",
        "text.ln_final.weight": "text_model.final_layer_norm.weight",
        "text.ln_final.bias": "text_model.final_layer_norm.bias",
        "text.projection.weight": "text_projection.weight",
    },
    blocks={"image": "vision_model.encoder.layers.", "text": "text_model.encoder.layers."},
    parts={
        "ln_1": ("layer_norm1.{}",),
        "qkv": ("self_attn.q_proj.{}", "self_attn.k_proj.{}", "self_attn.v_proj.{}"),
        "out": ("self_attn.out_proj.{}",),
        "ln_2": ("layer_norm2.{}",),
        "up": ("mlp.fc1.{}",),
        "down": ("mlp.fc2.{}",),
    },
    ignored=frozenset({"text_model.embeddings.position_ids", "vision_model.embeddings.position_ids"}),
)


def layout_of(found: Mapping[str, Tensor], source: str) -> Layout:
    """The layout whose marker is there."""
    for layout in (BMIP, OPENAI, TRANSFORMERS):
        if layout.marker in found:
            return layout
    if "visual.layer1.0.conv1.weight" in found:
        raise BackboneError(
            f"{source} is a CLIP with a ResNet; prompts in the image tower need a ViT, such as ViT-B/16"
        )
    raise BackboneError(
        f"{source} is not a CLIP in a layout of OpenAI, open_clip, transformers or bmip: it has {len(found)} tensors "
        f"({listed(found)}) and none of {', '.join(layout.marker for layout in (OPENAI, TRANSFORMERS, BMIP))}"
    )


def listed(keys: Iterable[str], most: int = 8) -> str:
    """A few of the keys in order, and how many more there are."""
    ordered = sorted(keys)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return (", ".join(ordered[:most]) or "none") + more
