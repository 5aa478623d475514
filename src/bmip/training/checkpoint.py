"""A method's trainable parameters, and what is needed to use them again: never CLIP itself.

Two files: NAME.safetensors holds the tensors and NAME.json everything else, with the first one's hash. The second is
written last, so that a save cut short is an error when loaded and never a mixture.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.methods import build_model, method_config
from bmip.prompting.model import PromptedCLIP
from bmip.system.files import write_bytes, write_json

FORMAT = 1
NAME = "prompts"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says what was found and what to do."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where trainable parameters come from; what a checkpoint says beside them."""

    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Departures from the method's Config; all options are written down, so that later defaults change nothing."""

    data: str = ""
    split_hash: str = ""
    """Of the data set as trained on (`bmip.data.dataset.split_hash`)."""

    seeds: Mapping[str, int] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    """The TrainConfig, for the record."""


def save_checkpoint(path: str | Path, model: PromptedCLIP, origin: Origin) -> None:
    """Write NAME.safetensors and NAME.json; `path` is a folder (then NAME is "prompts") or ends in either name.

    Raises ValueError, and writes nothing, where a trainable parameter is not finite.
    """
    tensors_file, json_file = _files(path)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.trainable().items()}
    if lost := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{', '.join(lost)} is not finite: nothing was saved; train with a lower learning rate")
    content = save(tensors, metadata={"format": "pt"})
    tensors_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.unlink(missing_ok=True)
    write_bytes(tensors_file, content)
    write_json(json_file, describe(model, origin) | {"tensors": hashlib.sha256(content).hexdigest()})


def describe(model: PromptedCLIP, origin: Origin) -> dict[str, Any]:
    """The JSON configuration: all that a checkpoint says beside its tensors."""
    said = dataclasses.asdict(origin)
    said["options"] = dataclasses.asdict(method_config(origin.method, dict(origin.options)))
    return {
        "format": FORMAT,
        "bmip": version("bmip"),
        "torch": torch.__version__,
        **said,
        "backbone": {"source": model.clip.source, "sha256": model.clip.sha256},
        "classes": dataclasses.asdict(model.classes),
    }


def load_checkpoint(path: str | Path, clip: CLIP | None = None, *, other_backbone: bool = False) -> PromptedCLIP:
    """The trained model, ready to classify among any classes: `model.classifier(ClassNames(("cat", "dog")))`.

    Args:
        path: a folder with prompts.safetensors and prompts.json (a run folder is one), or either file.
        clip: the backbone, where it is loaded already; otherwise it is loaded from where the checkpoint says.
        other_backbone: take the backbone though its hash is not the one trained with, because it holds the same
            weights in another file format.

    Raises:
        CheckpointError: a ValueError; for files that are missing, cut short, foreign, newer than this version or made
            with another backbone.
    """
    tensors_file, json_file = _files(path)
    said = read_description(path)
    tensors = _tensors(tensors_file, json_file, said["tensors"])
    source, sha256 = said["backbone"]["source"], said["backbone"]["sha256"]
    if clip is None:
        if not source:
            raise CheckpointError(f"{json_file} does not say where its CLIP comes from: load one and give clip=")
        clip = load_clip(source)
    if clip.sha256 != sha256 and not other_backbone:
        raise CheckpointError(
            f"{json_file} was trained with the CLIP {source!r} of sha256 {sha256 or '(none)'}; this one is "
            f"{clip.source!r} of sha256 {clip.sha256 or '(none)'}: load that one, or give other_backbone=True if both "
            "are files of the same weights"
        )
    try:
        model = build_model(said["method"], said["options"], clip, said["classes"], seed=0)
        model.load_trainable(tensors)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{json_file}: {error}") from error
    return model.eval()


def read_description(path: str | Path) -> dict[str, Any]:
    """The JSON configuration, checked; `classes` as ClassNames and options as the method's Config takes them."""
    json_file = _files(path)[1]
    try:
        said = json.loads(json_file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"there is no checkpoint {json_file}: name a folder or file written by training that has ended"
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{json_file} is damaged ({error}): restore it or train again") from error
    if not isinstance(said, dict) or not isinstance(said.get("format"), int):
        raise CheckpointError(f"{json_file} is no checkpoint of bmip: it does not say its format")
    if said["format"] > FORMAT:
        raise CheckpointError(
            f"{json_file} has format {said['format']}, written by bmip {said.get('bmip')}; this is bmip "
            f"{version('bmip')} and reads up to {FORMAT}: install a newer one"
        )
    try:
        return said | {
            "method": str(said["method"]),
            "options": {name: _tuples(value) for name, value in said["options"].items()},
            "backbone": {key: str(said["backbone"][key]) for key in ("source", "sha256")},
            "classes": ClassNames(**{name: _tuples(value) for name, value in said["classes"].items()}),
            "tensors": str(said["tensors"]),
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{json_file} is no checkpoint of bmip or is damaged ({type(error).__name__}: {error})"
        ) from error


def _tensors(file: Path, json_file: Path, sha256: str) -> dict[str, Tensor]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{json_file} has no {file.name} beside it: restore it or train again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(
            f"{file} is damaged or belongs to another checkpoint: its hash is not the one in {json_file.name}"
        )
    try:
        return load(content)
    except SafetensorError as error:
        raise CheckpointError(f"{file} holds no tensors ({error}): train again") from error


def _files(path: str | Path) -> tuple[Path, Path]:
    path = Path(path)
    stem = path if path.suffix in (".safetensors", ".json") and not path.is_dir() else path / f"{NAME}.json"
    return stem.with_suffix(".safetensors"), stem.with_suffix(".json")


def _tuples(value: Any) -> Any:
    """JSON knows lists only; configurations hold tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
