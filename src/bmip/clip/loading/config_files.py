"""Reads from configuration files what the shapes of the weights do not say: heads, activation, normalisation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from bmip.clip.block import Activation
from bmip.clip.loading.backbones import BackboneError
from bmip.clip.loading.preprocessing import OPENAI, Normalisation, normalisation, of_open_clip, of_transformers
from bmip.clip.model import CLIPConfig
from bmip.clip.resnet import WIDENS

FORMAT = "bmip"

PROCESSOR, IMAGE_PROCESSOR = "processor_config.json", "preprocessor_config.json"
"""Where `transformers` says how images are prepared: since version 5 in a section of the first."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a configuration file says of a CLIP. None means that it does not say."""

    heads: tuple[int, int] | None = None
    """Attention heads of the image tower and of the text tower."""

    activation: Activation | None = None
    """Activation of the blocks."""

    image_size: int | None = None
    """Side of the images in pixels."""

    only_vit: bool = False
    """Whether configurations of this kind describe no ResNet."""

    end: int | None = None
    """Id of the token at which a text is read."""

    normalisation: Normalisation = OPENAI
    """Mean and standard deviation of each colour."""

    saved: CLIPConfig | None = None
    """The whole configuration, in a folder of `save_clip`."""

    sha256: str | None = None
    """The hash that the file of the weights must have."""


def read_settings(file: Path) -> Settings:
    """The settings in a config.json of `transformers` or `save_clip`, or in an open_clip_config.json.

    Raises BackboneError for a file that describes no CLIP that can be loaded.
    """
    content = read_json(file)
    if file.name == "open_clip_config.json":
        return _open_clip(content, file)
    if content.get("format") == FORMAT:
        return _bmip(content, file)
    return _transformers(content, file)


def describes_clip(file: Path) -> bool:
    """Whether the file describes a CLIP. A config.json of timm, which may lie in the same folder, does not."""
    content = read_json(file)
    return content.get("format") == FORMAT or content.get("model_type") == "clip" or "model_cfg" in content


def read_json(file: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises BackboneError for anything else."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BackboneError(f"{file} is not a JSON file ({error}): fetch it again") from error
    if not isinstance(content, dict):
        raise BackboneError(f"{file} holds a {type(content).__name__}; a JSON object was expected: fetch it again")
    return content


_NO_COUNTS = {"image_layers", "activation", "mean", "std"}


def _bmip(content: Mapping[str, Any], file: Path) -> Settings:
    names = {field.name for field in fields(CLIPConfig)}
    given = content.get("clip")
    if not isinstance(given, dict) or set(given) != names:
        raise BackboneError(f"{file} does not describe a CLIP of this version: under 'clip' it needs {sorted(names)}")
    layers = given["image_layers"]
    stages = layers if isinstance(layers, list) else [layers]
    if given["activation"] not in get_args(Activation) or len(stages) not in (1, 4):
        raise BackboneError(f"{file} has an activation or layers that no CLIP has: fetch it again")
    for stage in stages:
        _count({"image_layers": stage}, "image_layers", file)
    sizes = {name: _count(given, name, file) for name in names.difference(_NO_COUNTS)}
    colours = normalisation(given["mean"], given["std"], file)
    saved = CLIPConfig(
        image_layers=tuple(layers) if isinstance(layers, list) else layers,
        activation=given["activation"],
        mean=colours.mean,
        std=colours.std,
        **sizes,
    )
    if not isinstance(content.get("sha256"), str | None):
        raise BackboneError(f"{file}: sha256 is {content['sha256']!r}; a text was expected: fetch it again")
    return Settings(
        heads=(saved.image_heads, saved.text_heads),
        activation=saved.activation,
        image_size=saved.image_size,
        normalisation=colours,
        saved=saved,
        sha256=content.get("sha256"),
    )


def _transformers(content: Mapping[str, Any], file: Path) -> Settings:
    if content.get("model_type") != "clip":
        raise BackboneError(f"{file} describes a model of type {content.get('model_type')!r}; 'clip' is needed")
    text = _section(content, "text_config", {"num_attention_heads": 8}, file)
    image = _section(content, "vision_config", {"num_attention_heads": 12}, file)
    for name, section in (("text_config", text), ("vision_config", image)):
        if section["layer_norm_eps"] != 1e-5:
            raise BackboneError(
                f"{file}: layer_norm_eps of {name} is {section['layer_norm_eps']}; only 1e-5 is supported"
            )
    if text["hidden_act"] != image["hidden_act"] or text["hidden_act"] not in ("quick_gelu", "gelu"):
        raise BackboneError(
            f"{file}: hidden_act is {text['hidden_act']!r} for text and {image['hidden_act']!r} for images; "
            "both must be 'quick_gelu' or both 'gelu'"
        )
    end = text.get("eos_token_id")
    side = _side(image.get("image_size", 224), file)
    return Settings(
        heads=(_count(image, "num_attention_heads", file), _count(text, "num_attention_heads", file)),
        activation=text["hidden_act"],
        image_size=side,
        only_vit=True,
        end=end if isinstance(end, int) and end != 2 else None,  # 2 stands for "the largest id" (transformers #24773)
        normalisation=of_transformers(*_image_processor(file.parent), side),
    )


def _image_processor(folder: Path) -> tuple[dict[str, Any], Path]:
    """The settings of the image processor that `transformers` would take, and their file."""
    both, own = folder / PROCESSOR, folder / IMAGE_PROCESSOR
    section = read_json(both).get("image_processor") if both.is_file() else None
    if isinstance(section, dict):
        return section, both
    return (read_json(own) if own.is_file() else {}), own


def _object(content: Mapping[str, Any], name: str, file: Path) -> dict[str, Any]:
    """The object under this name; an empty one where there is none. Raises BackboneError for anything else."""
    value = content.get(name)
    if value is not None and not isinstance(value, dict):
        raise BackboneError(f"{file}: {name} is {value!r}; a JSON object was expected: fetch it again")
    return value or {}


def _count(section: Mapping[str, Any], name: str, file: Path, otherwise: int = 0) -> int:
    """The whole number under this name. Raises BackboneError for anything else, and for one below 1."""
    value = section.get(name, otherwise)
    if type(value) is not int or value < 1:
        raise BackboneError(f"{file}: {name} is {value!r}; a whole number from 1 was expected: fetch it again")
    return value


def _section(content: Mapping[str, Any], name: str, defaults: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """A section as `transformers` reads it. An old section `…_dict` wins, with defaults for what it leaves out."""
    defaults = {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, **defaults}
    section = {**defaults, **_object(content, name, file)}
    older = _object(content, f"{name}_dict", file)
    return {**section, **defaults, **older} if older else section


_OPEN_CLIP_SHAPES = {"width", "layers", "patch_size", "context_length", "vocab_size", "mlp_ratio"}
_OPEN_CLIP_READ = {"heads", "head_width", "image_size"}
_OPEN_CLIP_UNUSED = {"pad_id", "eos_id", "patch_dropout", "output_tokens", "timm_drop", "timm_drop_path"}
_OPEN_CLIP_UNUSED |= {"hf_tokenizer_name", "tokenizer_kwargs", "attn_pooler_queries", "attn_pooler_heads"}
_OPEN_CLIP_PLAIN = {"pool_type": ("tok", "argmax", "eos"), "proj_type": ("linear",), "timm_proj": ("linear",)}
_OPEN_CLIP_PLAIN |= {"pos_embed_type": ("learnable",), "block_type": ("default",)}


def _open_clip(content: Mapping[str, Any], file: Path) -> Settings:
    model = _object(content, "model_cfg", file)
    image, text = _object(model, "vision_cfg", file), _object(model, "text_cfg", file)
    if not image:
        raise BackboneError(f"{file} has no model_cfg with a vision_cfg: fetch it again")
    for name, section in (("vision_cfg", image), ("text_cfg", text)):
        known = _OPEN_CLIP_SHAPES | _OPEN_CLIP_READ | _OPEN_CLIP_UNUSED
        other = {
            key: value
            for key, value in section.items()
            if key not in known and value and value not in _OPEN_CLIP_PLAIN.get(key, ())
        }
        if other:
            raise BackboneError(f"{file}: {name} asks for {other}, which OpenAI's architecture does not have")
    # A list of layers is a ResNet's, whose width is that of its first stage; heads divide its last one.
    width = _count(image, "width", file, 768) * (WIDENS if isinstance(image.get("layers"), list) else 1)
    side = _side(image.get("image_size", 224), file)
    return Settings(
        heads=(width // _count(image, "head_width", file, 64), _count(text, "heads", file, 8)),
        activation="quick_gelu" if model.get("quick_gelu", False) else "gelu",
        image_size=side,
        normalisation=of_open_clip(_object(content, "preprocess_cfg", file), file, side),
    )


def _side(size: object, file: Path) -> int:
    """The side of square images in pixels."""
    side = size[0] if isinstance(size, list) and size and all(one == size[0] for one in size) else size
    if not isinstance(side, int):
        raise BackboneError(f"{file}: images of size {size!r}; square ones are needed, whose side is a whole number")
    return side
