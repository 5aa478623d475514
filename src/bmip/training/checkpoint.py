"""Loads trained prompts back into a model."""

from __future__ import annotations

from pathlib import Path

from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.methods import build_model
from bmip.prompting.checkpoint import CheckpointError, read_checkpoint, read_description
from bmip.prompting.model import PromptedCLIP


def from_pretrained(path: str | Path, clip: CLIP | None = None, *, other_backbone: bool = False) -> PromptedCLIP:
    """The model that `save_pretrained` or a training wrote, ready to classify among any classes.

    Args:
        path: a folder with prompts.safetensors and prompts.json (a run folder is one), or either file.
        clip: the backbone. Without one it is loaded from where it was in training, and set to the same precision.
        other_backbone: take the backbone though its hash is not the one trained with, because it holds the same
            weights in another file format.

    Raises:
        CheckpointError: a ValueError; for files that are missing, cut short, foreign, of another format or made with
            another backbone.
    """
    description, tensors = read_checkpoint(path)
    clip = clip or clip_of(path)
    if clip.sha256 != description.backbone_hash and not other_backbone:
        raise CheckpointError(
            f"{path} was trained with the CLIP {description.backbone!r} of sha256 "
            f"{description.backbone_hash or '(none)'}; this one is {clip.source!r} of sha256 {clip.sha256 or '(none)'}"
            ": give the one that it was trained with"
        )
    try:
        model = build_model(description.spec.method, dict(description.options), clip, description.classes, seed=0)
        model.load_trainable(tensors)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    model.description = description
    return model


def clip_of(path: str | Path) -> CLIP:
    """The CLIP that a checkpoint was trained with, in the precision of its training.

    Raises CheckpointError where it no longer lies where it was, and for files that `read_description` refuses.
    """
    description = read_description(path)
    source, place = description.backbone, description.places.get("backbone", "")
    if not source:
        raise CheckpointError(f"{path} does not say which CLIP it was trained with: name it (--backbone)")
    try:
        clip = load_clip(place if place and Path(place).exists() else source)
    except FileNotFoundError as error:
        lay = f", then {place}," if place else ","
        raise CheckpointError(
            f"{path} was trained with the CLIP {source!r}{lay} which is not there: say where it lies now (--backbone)"
        ) from error
    return clip.set_precision(description.spec.precision)
