"""Writes and reads the trainable parameters of a method, with what is needed to use them again: never CLIP itself.

Two files: NAME.safetensors holds the tensors and NAME.json the description, with the first one's hash. The second is
written last, so a save that was cut short is an error when it is loaded and never a mixture. Both can be given away:
they hold no absolute path. Where things lay on the machine of a training is in the run folder's config.json alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.names import data_name
from bmip.run_spec import FORMAT, RunSpec, check_format, settings
from bmip.system.files import write_bytes, write_json

NAME = "prompts"
_CURE = "name a folder that `bmip train` or `save_pretrained` wrote, or train the method again with bmip"
_LOST = "restore it, or delete the folder and train again"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says what was found and what to do."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a method's trainable parameters belong to."""

    spec: RunSpec
    options: Mapping[str, Any]
    """All options of the method's Config, so that later defaults change nothing."""

    classes: ClassNames
    """The classes that the method was built for."""

    backbone: str
    """Where the CLIP was loaded from."""

    backbone_hash: str
    backbone_revision: str = ""
    """The commit of the hub's repository that the CLIP is from; empty where it is from elsewhere."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """All settings of training; empty before training."""

    split_hash: str = ""
    """The hash of the data set as it was trained on; empty before training."""

    imported: str = ""
    """The file of released code that the prompts are from, with its hash; empty where bmip made them."""

    places: Mapping[str, str] = field(default_factory=dict)
    """The absolute paths that `spec.places` gave in training; they are no part of the run."""

    def shareable(self) -> Description:
        """This description without the paths of a machine: of an absolute path only the last part stays."""
        spec = self.spec
        return replace(
            self,
            spec=replace(
                spec,
                data=data_name(_last_part(spec.data)),
                backbone=_last_part(spec.backbone),
                preset=_last_part(spec.preset),
                read=replace(spec.read, class_names=_last_part(spec.read.class_names)),
                options=settings({name: _last_part(value) for name, value in spec.options}),
            ),
            options={name: _last_part(value) for name, value in self.options.items()},
            backbone=_last_part(self.backbone),
            places={},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON, without `places`."""
        return {
            "format": FORMAT,
            "spec": self.spec.to_json(),
            "options": dict(self.options),
            "classes": dataclasses.asdict(self.classes),
            "backbone": {
                "source": self.backbone,
                "sha256": self.backbone_hash,
                **({"revision": self.backbone_revision} if self.backbone_revision else {}),
            },
            "training": dict(self.training),
            "split_hash": self.split_hash,
            **({"imported": self.imported} if self.imported else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], places: Mapping[str, str]) -> Description:
        """The description that `to_json` wrote. Raises ValueError, TypeError or KeyError for anything else."""
        return cls(
            spec=RunSpec.from_json(content["spec"]),
            options={name: _tuples(value) for name, value in content["options"].items()},
            classes=ClassNames(**{name: _tuples(value) for name, value in content["classes"].items()}),
            backbone=str(content["backbone"]["source"]),
            backbone_hash=str(content["backbone"]["sha256"]),
            backbone_revision=str(content["backbone"].get("revision", "")),
            training=dict(content["training"]),
            split_hash=str(content["split_hash"]),
            imported=str(content.get("imported", "")),
            places=places,
        )


def _last_part(value: Any) -> Any:
    """An absolute path as ./NAME, which is a path still and no name of a data set or of a CLIP."""
    return f"./{PurePath(value).name}" if isinstance(value, str) and PurePath(value).is_absolute() else value


def write_checkpoint(path: str | Path, trainable: Mapping[str, Tensor], description: Description) -> None:
    """Writes both files; `path` is a folder (then NAME is "prompts") or ends in the name of either file.

    Raises ValueError, and writes nothing, where a trainable parameter is not finite.
    """
    tensors_file, json_file = _files(path)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in trainable.items()}
    if lost := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise ValueError(f"{', '.join(lost)} is not finite: nothing was saved; train with a lower learning rate")
    content = save(tensors, metadata={"format": "pt"})
    versions = {"bmip": version("bmip"), "torch": torch.__version__}
    tensors_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.unlink(missing_ok=True)
    write_bytes(tensors_file, content)
    shared = description.shareable().to_json()
    write_json(json_file, {**shared, **versions, "tensors": hashlib.sha256(content).hexdigest()})


def beside(path: str | Path, kind: str) -> Path:
    """The file of this kind that belongs to a checkpoint, such as prompts.threshold.json for "threshold"."""
    return _files(path)[1].with_suffix(f".{kind}.json")


def tensors_hash(path: str | Path) -> str:
    """The hash of the tensors, as the description has it. Raises CheckpointError as `read_checkpoint` does."""
    return _read_json(_files(path)[1])[1]


def origin_hash(path: str | Path) -> str:
    """A hash of all that features follow from: the tensors, the method with its options, and the CLIP."""
    description, tensors = _read_json(_files(path)[1])
    said = [tensors, description.spec.method, description.options, description.backbone_hash]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read_checkpoint(path: str | Path) -> tuple[Description, dict[str, Tensor]]:
    """The description and the tensors of a checkpoint; `path` as for `write_checkpoint`.

    The description has `places` where the checkpoint lies in the run folder of its training.

    Raises CheckpointError for files that are missing, cut short, foreign or of another format.
    """
    tensors_file, json_file = _files(path)
    description, sha256 = _read_json(json_file)
    try:
        content = tensors_file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{json_file} has no {tensors_file.name} beside it: {_LOST}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(
            f"{tensors_file} is damaged or belongs to another checkpoint: its hash is not the one in {json_file.name}: "
            f"{_LOST}"
        )
    try:
        return description, load(content)
    except SafetensorError as error:
        raise CheckpointError(f"{tensors_file} holds no tensors ({error}): {_LOST}") from error


def copy_into(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Copy what a checkpoint holds into a model's own tensors of the same names.

    Raises ValueError that lists missing and unexpected names, and tensors of another shape; then nothing is copied.
    """
    faults = {
        "missing": sorted(own.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - own.keys()),
        "shape": [
            f"{name} is {tuple(tensors[name].shape)} and needs {tuple(own[name].shape)}"
            for name in sorted(own.keys() & tensors.keys())
            if own[name].shape != tensors[name].shape
        ],
    }
    if any(faults.values()):
        said = "; ".join(f"{what}: {', '.join(names)}" for what, names in faults.items() if names)
        raise ValueError(f"these trainable parameters do not fit the method: {said}")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(tensors[name])


def _read_json(json_file: Path) -> tuple[Description, str]:
    try:
        said = json.loads(json_file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(_missing(json_file)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{json_file} is damaged ({error}): {_LOST}") from error
    if not isinstance(said, dict) or not isinstance(said.get("format"), int):
        raise CheckpointError(f"{json_file} is no checkpoint of bmip: it does not say its format")
    try:
        check_format(said, str(json_file), "train again, or install the version that wrote it")
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    places = _places(json_file.parent)
    try:
        return Description.from_json(said, places), str(said["tensors"])
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{json_file} is no checkpoint of bmip or is damaged ({type(error).__name__}: {error})"
        ) from error


def _places(folder: Path) -> dict[str, str]:
    """Where data and CLIP lay in training, if this is the folder of a run."""
    file = folder / "config.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8")).get("places", {}) if file.exists() else {}
        return {name: str(place) for name, place in said.items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{file} is damaged ({error}): restore it, or take it out of {folder}") from error


def _missing(json_file: Path) -> str:
    folder, tensors_file = json_file.parent, json_file.with_suffix(".safetensors")
    if tensors_file.exists():
        return f"{tensors_file} has no {json_file.name} beside it, so it is no checkpoint of bmip: {_CURE}"
    if (folder / "config.json").exists():
        return f"the training in {folder} has not ended: give its command again, and it goes on"
    return f"there is no checkpoint {json_file}: {_CURE}"


def _files(path: str | Path) -> tuple[Path, Path]:
    path = Path(path)
    if path.is_file() and path.suffix not in (".safetensors", ".json"):
        raise CheckpointError(
            f"{path} is no checkpoint of bmip. If the released code of a method wrote it, such as model.pth.tar-50, "
            f"`bmip import-checkpoint` makes prompts of it; otherwise {_CURE}"
        )
    stem = path if path.suffix in (".safetensors", ".json") and not path.is_dir() else path / f"{NAME}.json"
    return stem.with_suffix(".safetensors"), stem.with_suffix(".json")


def _tuples(value: Any) -> Any:
    """JSON knows lists only; configurations hold tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
