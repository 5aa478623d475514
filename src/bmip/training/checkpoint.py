"""Loads trained prompts back into a model."""

from __future__ import annotations

from pathlib import Path

import torch

from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.clip.precision import Precision
from bmip.methods import build_model, method_names
from bmip.prompting.checkpoint import CheckpointError, Description, read_checkpoint
from bmip.prompting.model import PromptedCLIP
from bmip.system.messages import first_line
from bmip.system.method_name import check_written
from bmip.training.config import train_config
from bmip.training.hub import located

_CURE = "name a file, a folder or a hub id of the same weights (--backbone on the command line, clip= in Python)"


def from_pretrained(
    path: str | Path,
    clip: CLIP | str | Path | None = None,
    *,
    device: torch.device | str = "cpu",
    precision: Precision | None = None,
) -> PromptedCLIP:
    """The model that `save_pretrained` or a training wrote, ready to classify among any classes.

    Args:
        path: a folder with prompts.safetensors and prompts.json (a run folder is one), either file, or a repository on
            the hub, such as "someone/pets".
        clip: the backbone, or where `load_clip` finds it: any file of the weights that it had in training. Without one
            it is loaded from where it was in training.
        device: where a backbone that is loaded here is put.
        precision: of such a backbone; otherwise the one that it had in training, or float32 where that was float16 and
            the device is a processor, which is many times slower in it.

    Raises:
        CheckpointError: a ValueError; for files that are missing, cut short, foreign, of another format or made with
            another backbone, for a description that no model can be built of, and for a backbone that is no longer
            where it was.
    """
    description, tensors = read_checkpoint(located(path))
    try:
        check_written(description.spec.method, method_names())
        train_config(dict(description.spec.training))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    if not isinstance(clip, CLIP):
        found = (_clip_of(path, description) if clip is None else load_clip(clip)).to(device)
        then = description.spec.precision
        slow = then == "float16" and found.device.type == "cpu"
        clip = found.set_precision(precision or ("float32" if slow else then))
    if clip.sha256 != description.backbone_hash:
        raise CheckpointError(
            f"{path} was trained with the CLIP {description.backbone!r}, whose weights have the hash "
            f"{description.backbone_hash[:12] or 'none'}; {clip.source!r} holds other weights, with the hash "
            f"{clip.sha256[:12] or 'none'}: {_CURE}"
        )
    try:
        model = build_model(description.spec.method, dict(description.options), clip, description.classes, seed=0)
        model.load_learned(tensors)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    except (AttributeError, RuntimeError, ArithmeticError, MemoryError) as error:
        raise CheckpointError(
            f"{path} describes a model that cannot be built here ({type(error).__name__}: {first_line(error)}): "
            "restore its files, use a machine with more memory, or train again"
        ) from error
    model.description = description
    return model


def _clip_of(path: str | Path, description: Description) -> CLIP:
    """The CLIP that a checkpoint was trained with, from where it was in training."""
    source, place = description.backbone, description.places.get("backbone", "")
    if not source:
        raise CheckpointError(f"{path} does not say which CLIP it was trained with: {_CURE}")
    try:
        return load_clip(place if place and Path(place).exists() else source)
    except FileNotFoundError as error:
        lay = f", then {place}," if place else ","
        raise CheckpointError(
            f"{path} was trained with the CLIP {source!r}{lay} which is not there: {_CURE}"
        ) from error
