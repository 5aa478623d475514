"""The names of CLIP's weights in files of bmip, of OpenAI and open_clip, and of `transformers`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bmip.clip.loading.backbones import BackboneError
from bmip.clip.resnet import Stages, fold_batch_norm
from bmip.system.messages import counted, first_few

_BLOCK = re.compile(r"(image|text)\.blocks\.(\d+)\.(\w+)\.(weight|bias)")
_CONVOLUTION = re.compile(r"image\.(stem|stages\.(\d)\.(\d+))\.(\w+)\.(weight|bias)")


@dataclass(frozen=True, kw_only=True)
class Convolutions:
    """The names of a ResNet's convolutions."""

    marker: str
    """A key that only this layout has, and only with a ResNet."""

    stem: str
    """The prefix of the first convolutions."""

    stages: tuple[str, str, str, str]
    """The prefixes of the four stages."""

    parts: Mapping[str, tuple[str, ...]]
    """For our name of a convolution: theirs, and that of the batch norm behind it if there is one."""

    def names(self, ours: re.Match[str]) -> tuple[str, ...]:
        """Their keys for a weight or bias of ours. With a batch norm, both are made of all its tensors."""
        where, stage, block, part, kind = ours.groups()
        prefix = self.stem if where == "stem" else f"{self.stages[int(stage)]}{block}."
        convolution, *norm = self.parts[part]
        if not norm:
            return (f"{prefix}{convolution}.{kind}",)
        statistics = (f"{prefix}{norm[0]}.{each}" for each in ("weight", "bias", "running_mean", "running_var"))
        return (f"{prefix}{convolution}.weight", *statistics)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The names in one kind of file. One tensor of ours may be several of theirs, one above the other."""

    name: str
    """Whose layout it is, for messages."""

    marker: str
    """A key that only this layout has, and only with a ViT."""

    single: Mapping[str, str]
    """Their name for each of our names outside the blocks."""

    blocks: Mapping[str, str]
    """The prefix of the blocks of each tower."""

    parts: Mapping[str, tuple[str, ...]]
    """Their names for each part of a block; {} stands for weight or bias."""

    convolutions: Convolutions | None = None
    """The names of a ResNet; None where files of this kind hold none."""

    transposed: frozenset[str] = frozenset()
    """Our names of tensors whose rows and columns are exchanged in the file."""

    ignored: frozenset[str] = frozenset()
    """Their keys that hold no weights."""

    @property
    def markers(self) -> tuple[str, ...]:
        """Keys that only this layout has, with a ViT or with a ResNet."""
        return (self.marker,) if self.convolutions is None else (self.marker, self.convolutions.marker)

    def names(self, ours: str) -> tuple[str, ...]:
        """Their keys for a name of ours."""
        if block := _BLOCK.fullmatch(ours):
            tower, number, part, kind = block.groups()
            return tuple(f"{self.blocks[tower]}{number}.{theirs.format(kind)}" for theirs in self.parts[part])
        if self.convolutions is not None and (convolution := _CONVOLUTION.fullmatch(ours)):
            return self.convolutions.names(convolution)
        return (self.single[ours],)

    def spare(self, wanted: Iterable[str]) -> set[str]:
        """Their keys that may stand beside the `wanted` ones and hold no weights, such as counts of a batch norm."""
        norms = (key.removesuffix("running_mean") for key in wanted if key.endswith(".running_mean"))
        return {*self.ignored, *(f"{norm}num_batches_tracked" for norm in norms)}

    def layers(self, tower: str, found: Iterable[str]) -> int:
        """The number of a tower's blocks among the keys found."""
        return _numbered(self.blocks[tower], found)

    def stages(self, found: Mapping[str, Tensor]) -> Stages | None:
        """How many blocks each stage of a ResNet has; None for a ViT."""
        if self.convolutions is None or self.convolutions.marker not in found:
            return None
        first, second, third, fourth = (_numbered(prefix, found) for prefix in self.convolutions.stages)
        return first, second, third, fourth

    def read(self, ours: str, found: Mapping[str, Tensor]) -> Tensor:
        """The tensor of a name of ours. Raises RuntimeError for shapes that do not go together."""
        tensors = [found[name] for name in self.names(ours)]
        if len(tensors) == 1:
            tensor = tensors[0]
        elif _CONVOLUTION.fullmatch(ours):
            weight, bias = fold_batch_norm(tensors[0], torch.stack(tensors[1:]))
            tensor = weight if ours.endswith(".weight") else bias
        else:
            tensor = torch.cat(tensors)
        return tensor.t() if ours in self.transposed else tensor


def _numbered(prefix: str, found: Iterable[str]) -> int:
    numbers = {key[len(prefix) :].split(".")[0] for key in found if key.startswith(prefix)}
    return sum(number.isdigit() for number in numbers)


_POOL = {
    "image.pool.positional_embedding": "visual.attnpool.positional_embedding",
    "image.pool.q.weight": "visual.attnpool.q_proj.weight",
    "image.pool.q.bias": "visual.attnpool.q_proj.bias",
    "image.pool.k.weight": "visual.attnpool.k_proj.weight",
    "image.pool.k.bias": "visual.attnpool.k_proj.bias",
    "image.pool.v.weight": "visual.attnpool.v_proj.weight",
    "image.pool.v.bias": "visual.attnpool.v_proj.bias",
    "image.pool.projection.weight": "visual.attnpool.c_proj.weight",
    "image.pool.projection.bias": "visual.attnpool.c_proj.bias",
}

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
    *_POOL,
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
    convolutions=Convolutions(
        marker="image.pool.positional_embedding",
        stem="image.stem.",
        stages=("image.stages.0.", "image.stages.1.", "image.stages.2.", "image.stages.3."),
        parts={part: (part,) for part in ("0", "1", "2", "reduce", "filter", "expand", "shortcut")},
    ),
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
        **_POOL,
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
    convolutions=Convolutions(
        marker="visual.attnpool.positional_embedding",
        stem="visual.",
        stages=("visual.layer1.", "visual.layer2.", "visual.layer3.", "visual.layer4."),
        parts={
            "0": ("conv1", "bn1"),
            "1": ("conv2", "bn2"),
            "2": ("conv3", "bn3"),
            "reduce": ("conv1", "bn1"),
            "filter": ("conv2", "bn2"),
            "expand": ("conv3", "bn3"),
            "shortcut": ("downsample.0", "downsample.1"),
        },
    ),
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
    """The layout of the tensors found. Raises BackboneError for tensors of none."""
    markers = {marker: layout for layout in (OPENAI, TRANSFORMERS, BMIP) for marker in layout.markers}
    for marker, layout in markers.items():
        if marker in found:
            return layout
    raise BackboneError(
        f"{source} is not a CLIP in a layout of OpenAI, open_clip, transformers or bmip: it has "
        f"{counted(len(found), 'tensor')} ({listed(found)}) and none of {', '.join(markers)}"
    )


def listed(keys: Iterable[str], most: int = 8) -> str:
    """The first keys in order, and how many more there are; "none" for no keys."""
    return first_few(sorted(keys), most) or "none"
