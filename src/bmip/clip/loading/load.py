"""Loads a CLIP from files of OpenAI, open_clip, `transformers` or bmip, and saves one. Every tensor must be known."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from bmip.clip.block import Activation
from bmip.clip.loading.backbones import BackboneError
from bmip.clip.loading.config_files import FORMAT, Settings, read_settings
from bmip.clip.loading.sources import Files, find
from bmip.clip.loading.tensors import read_weights, weights_hash
from bmip.clip.loading.weight_names import Layout, layout_of, listed
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.resnet import SHRINKS, WIDENS, Stages
from bmip.clip.tokenizer import Tokenizer
from bmip.system.files import write_bytes, write_json


def load_clip(
    source: str | Path,
    *,
    activation: Activation | None = None,
    heads: tuple[int, int] | None = None,
    tokenizer: Tokenizer | str | Path | None = None,
    trust: bool = False,
) -> CLIP:
    """A frozen CLIP in float32 on the CPU, ready for use.

    Args:
        source: a name (`bmip backbones` lists them), a file (safetensors, or a pickled state dict), a folder of
            open_clip, `transformers` or `save_clip`, or a repository on the hub. For "ViT-B/16" and the other names of
            OpenAI its file in ~/.cache/clip is taken if it is there, else the hub's; HF_HUB_OFFLINE counts.
        activation: needed where the configuration beside the weights does not say it. It wins over what stands there.
        heads: attention heads of the image tower and of the text tower, needed in the same case.
        tokenizer: a tokeniser or its tokenizer.json; otherwise the one beside the weights, or OpenAI's if the
            vocabulary has its size.
        trust: open a TorchScript archive, which can hold code, even if OpenAI did not publish it.

    Raises:
        BackboneError: a ValueError; for files that are damaged, no CLIP, or do not say what is needed.
        FileNotFoundError: for a source that is not there.
    """
    files = find(source)
    settings = read_settings(files.settings) if files.settings is not None else Settings()
    weights = read_weights(files.weights, sha256=files.sha256 or settings.sha256, trust=trust)
    layout = layout_of(weights.tensors, str(source))
    if weights.published:
        settings = _as_openai(settings, weights.tensors, layout)
    settings = dataclasses.replace(
        settings, heads=heads or settings.heads, activation=activation or settings.activation
    )
    config = _config(weights.tensors, layout, settings, str(source))
    with torch.device("meta"):
        clip = CLIP(config, _tokenizer(tokenizer, files, config, settings, str(source)))
    tensors = _ours(weights.tensors, layout, clip.state_dict(), str(source))
    clip.load_state_dict(tensors, assign=True)
    clip.source, clip.revision, clip.sha256 = str(source), files.revision, weights_hash(tensors)
    return clip.eval().requires_grad_(False)


def save_clip(clip: CLIP, folder: str | Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Writes model.safetensors, config.json and tokenizer.json into a folder that `load_clip` reads.

    Each file is replaced at once. The configuration is written last and holds the hash of the weights' file, so a save
    that was cut short is an error when it is loaded. Raises ValueError, and writes nothing, for values too large for
    `dtype`.
    """
    tensors = {name: tensor.detach().cpu().to(dtype).contiguous() for name, tensor in clip.state_dict().items()}
    if lost := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{listed(lost)} would not be finite in {dtype}: nothing was saved; choose a wider type")
    content = save(tensors, metadata={"format": "pt"})
    config = {
        "format": FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "clip": dataclasses.asdict(clip.config),
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    clip.tokenizer.save(folder / "tokenizer.json")
    write_bytes(folder / "model.safetensors", content)
    write_json(folder / "config.json", config)


def _as_openai(settings: Settings, found: Mapping[str, Tensor], layout: Layout) -> Settings:
    """OpenAI's settings: a head for every 64 channels, QuickGELU. (openai/CLIP clip/model.py, build_model)"""
    image = "image.class_embedding" if layout.stages(found) is None else "image.pool.positional_embedding"
    keys = (image, "text.positional_embedding")
    widths = [found[name].shape[-1] if name in found else 0 for ours in keys for name in layout.names(ours)]
    return dataclasses.replace(settings, heads=(widths[0] // 64, widths[1] // 64), activation="quick_gelu")


class _Image(NamedTuple):
    """What the shapes of the weights say of the image tower."""

    cells: int
    patch: int
    width: int
    layers: int | Stages
    attending: int
    """The width that is divided among the heads."""
    out: int


def _vit(found: Mapping[str, Tensor], layout: Layout, source: str) -> _Image:
    landmarks = {"class_embedding": 1, "patch.weight": 4, "positional_embedding": 2, "projection.weight": 2}
    (width,), patches, positions, projection = _shapes(found, layout, "image", landmarks, source)
    return _Image(positions[0] - 1, patches[-1], width, layout.layers("image", found), width, projection[0])


def _resnet(found: Mapping[str, Tensor], layout: Layout, stages: Stages, source: str) -> _Image:
    landmarks = {"pool.positional_embedding": 2, "pool.projection.weight": 2}
    positions, projection = _shapes(found, layout, "image", landmarks, source)
    if 0 in stages:
        raise BackboneError(
            f"{source} is not a whole CLIP: the stages of its ResNet have {stages} blocks; fetch it again"
        )
    return _Image(positions[0] - 1, SHRINKS, positions[1] // WIDENS, stages, positions[1], projection[0])


def _shapes(
    found: Mapping[str, Tensor], layout: Layout, tower: str, landmarks: Mapping[str, int], source: str
) -> list[torch.Size]:
    """The shapes of a tower's weights that its sizes follow from. `landmarks` are their names and numbers of axes."""
    axes = {f"{tower}.{part}": count for part, count in landmarks.items()}
    if missing := [name for ours in axes for name in layout.names(ours) if name not in found]:
        raise BackboneError(f"{source} is not a whole CLIP of {layout.name}'s layout: it lacks {listed(missing)}")
    shapes = [_read(found, layout, ours, source).shape for ours in axes]
    for (ours, count), shape in zip(axes.items(), shapes, strict=True):
        if len(shape) != count:
            raise BackboneError(f"{source}: {layout.names(ours)[0]} has shape {tuple(shape)}; {count} axes are needed")
    return shapes


def _config(found: Mapping[str, Tensor], layout: Layout, settings: Settings, source: str) -> CLIPConfig:
    tokens, places = _shapes(found, layout, "text", {"token_embedding.weight": 2, "positional_embedding": 2}, source)
    stages = layout.stages(found)
    if stages is not None and settings.only_vit:
        raise BackboneError(
            f"{source} has a ResNet and a configuration of transformers, which knows CLIP with a ViT alone: give the "
            "file by itself with heads= and activation=, or with the open_clip_config.json that belongs to it"
        )
    image = _vit(found, layout, source) if stages is None else _resnet(found, layout, stages, source)
    image_heads, text_heads = _heads(settings, image.attending, tokens[1], source)
    if settings.activation is None:
        raise BackboneError(
            f"{source} does not say its activation: give activation='quick_gelu' (OpenAI, DFN, MetaCLIP) or "
            "activation='gelu' (LAION, DataComp)"
        )
    config = CLIPConfig(
        image_size=_image_size(image.cells, image.patch, settings.image_size, source),
        patch=image.patch,
        image_width=image.width,
        image_layers=image.layers,
        image_heads=image_heads,
        text_width=tokens[1],
        text_layers=layout.layers("text", found),
        text_heads=text_heads,
        context=places[0],
        vocabulary=tokens[0],
        out=image.out,
        activation=settings.activation,
        mean=settings.normalisation.mean,
        std=settings.normalisation.std,
    )
    if (
        settings.saved is not None
        and dataclasses.replace(
            settings.saved, image_heads=image_heads, text_heads=text_heads, activation=config.activation
        )
        != config
    ):
        raise BackboneError(f"{source}: weights and config.json differ: {config} and {settings.saved}; save it again")
    return config


def _heads(settings: Settings, image_width: int, text_width: int, source: str) -> tuple[int, int]:
    if settings.heads is None:
        raise BackboneError(
            f"{source} does not say its numbers of attention heads: give heads=(image, text), which for OpenAI's and "
            f"most others would be a head for every 64 of the widths {image_width} and {text_width}"
        )
    for tower, heads, width in zip(("image", "text"), settings.heads, (image_width, text_width), strict=True):
        if heads < 1 or width % heads:
            raise BackboneError(f"{source}: {heads} heads do not divide the {tower} tower's width of {width}")
    return settings.heads


def _image_size(patches: int, patch: int, said: int | None, source: str) -> int:
    side = math.isqrt(patches)
    if side * side != patches:
        raise BackboneError(f"{source} has positions for {patches} patches, which is no square; images must be square")
    if said is not None and said // patch != side:
        raise BackboneError(
            f"{source}: images of {said} pixels have {said // patch} x {said // patch} patches of {patch}; the weights "
            f"have positions for {side} x {side}"
        )
    return side * patch if said is None else said


def _tokenizer(
    given: Tokenizer | str | Path | None, files: Files, config: CLIPConfig, settings: Settings, source: str
) -> Tokenizer:
    if isinstance(given, Tokenizer):
        tokenizer = given
    elif given is not None:
        tokenizer = Tokenizer.from_file(given)
    elif len(files.tokenizer) == 2:
        tokenizer = Tokenizer.from_vocab_and_merges(*files.tokenizer)
    elif files.tokenizer:
        tokenizer = Tokenizer.from_file(*files.tokenizer)
    else:
        tokenizer = Tokenizer.default()
    if tokenizer.vocabulary != config.vocabulary:
        raise BackboneError(
            f"{source} has {config.vocabulary} token embeddings and the tokeniser {tokenizer.vocabulary} tokens: give "
            "tokenizer= with the tokenizer.json that belongs to the weights"
        )
    if settings.end is not None and settings.end != tokenizer.end:
        raise BackboneError(
            f"{source} reads a text at token {settings.end} (eos_token_id), its tokeniser ends one with "
            f"{tokenizer.end}: configuration and tokeniser do not belong together"
        )
    return tokenizer


def _ours(
    found: Mapping[str, Tensor], layout: Layout, expected: Mapping[str, Tensor], source: str
) -> dict[str, Tensor]:
    """The file's tensors in float32 under our names. Raises BackboneError where one is missing, unknown or unfit."""
    wanted = {theirs for ours in expected for theirs in layout.names(ours)}
    missing, unexpected = wanted - found.keys(), found.keys() - wanted - layout.spare(wanted)
    if missing or unexpected:
        raise BackboneError(
            f"{source} does not hold exactly a CLIP in {layout.name}'s layout; missing keys: {listed(missing, 400)}; "
            f"unexpected keys: {listed(unexpected, 400)}"
        )
    tensors = {}
    for ours, empty in expected.items():
        names = ", ".join(layout.names(ours))
        if odd := {found[name].dtype for name in layout.names(ours) if not found[name].is_floating_point()}:
            raise BackboneError(f"{source}: {names} is {odd.pop()}; weights in floating point are needed")
        tensor = _read(found, layout, ours, source)
        if tensor.shape != empty.shape:
            raise BackboneError(f"{source}: {names} has shape {tuple(tensor.shape)}, not {tuple(empty.shape)}")
        # A copy in memory of torch's own: results differ in the last bit with how a file happens to be aligned.
        tensors[ours] = torch.empty(tensor.shape).copy_(tensor)
        if not all(bound.isfinite() for bound in tensors[ours].aminmax()):  # many times faster than isfinite().all()
            raise BackboneError(f"{source}: {names} has values that are not finite: the weights are damaged")
    return tensors


def _read(found: Mapping[str, Tensor], layout: Layout, ours: str, source: str) -> Tensor:
    try:
        return layout.read(ours, found)
    except RuntimeError as error:
        shapes = {name: tuple(found[name].shape) for name in layout.names(ours)}
        raise BackboneError(f"{source}: these shapes are not those of a CLIP: {shapes}") from error
