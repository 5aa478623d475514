"""Makes prompts of a released checkpoint. Every key in it is accounted for."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.text_layout import TextLayout
from bmip.interchange.class_names import names_in
from bmip.interchange.files import read_released
from bmip.interchange.frozen import frozen_keys, released_names
from bmip.interchange.methods import released_of
from bmip.methods import build_model, method_config
from bmip.prompting.method_spec import MethodSpec
from bmip.prompting.model import PromptedCLIP
from bmip.prompting.released import Released, ReleasedError, Shapes, Stored
from bmip.run_spec import RunSpec, settings
from bmip.system.messages import first_few

_OF_CLASSES = ("token_prefix", "token_midfix", "token_suffix", "token_embedding", "tokenized_prompts")
"""The last parts of keys that hold embeddings of the words around the prompts, made of the class names."""


@dataclass(frozen=True, eq=False)
class Imported:
    """Prompts from a released checkpoint, and what was left out of it."""

    model: PromptedCLIP
    left_out: Mapping[str, list[str]]
    """Why -> the keys."""


def import_checkpoint(
    file: Path,
    spec: RunSpec,
    clip: CLIP,
    names: Sequence[str] | None = None,
    *,
    template: str = ClassNames.template,
    given: Mapping[str, Any] | None = None,
) -> Imported:
    """The prompts of a checkpoint that the released code of the method wrote, ready to classify.

    Args:
        file: such as model.pth.tar-5. It is never run as code.
        spec: says the method and its options. What the shapes in the file tell wins over them.
        clip: the CLIP that the prompts were trained with.
        names: those of the training classes, in their order; None: as the words in the file say.
        template: the sentence of the data set.
        given: the options among those of the spec that a person has asked for.

    Raises:
        ReleasedError: a ValueError; for a file that cannot be read, and for keys, shapes, options and a CLIP that do
            not fit.
        ValueError: for a method without released checkpoints.
    """
    method, released = released_of(spec.method)
    content = read_released(file)
    try:
        found = _whole(content.tensors, released)
        of_clip = released_names(clip, released.teachers)
        shapes = {key: tuple(tensor.shape) for key, tensor in found.items() if key not in of_clip}
        told = released.options(Shapes(shapes, content.settings))
        _check_told(told, given or {})
        options = {**dict(spec.options), **told}
        known = names or _names(found, method, options, clip, template)
        classes = ClassNames(tuple(known), template, duplicates=True)
        model = build_model(method, options, clip, classes, seed=spec.init_seed)
        keys = released.keys(method_config(method, options), clip, model.trainable())
        left_out = _left_out(found, keys, released, clip)
        model.load_trainable({name: _taken(found, key, model.trainable()[name]) for name, key in keys.items()})
    except ValueError as error:
        raise ReleasedError(f"{file}, read as a checkpoint of {spec.method_name}: {error}") from error
    model.description = replace(
        model.described(),
        spec=replace(spec, options=settings(options), training=(), backbone=clip.source),
        imported=f"{file.name}, SHA-256 {content.sha256}",
    )
    return Imported(model, left_out)


def _whole(tensors: Mapping[str, Tensor], released: Released) -> dict[str, Tensor]:
    """The tensors by the keys of the whole model, whether the file holds that or a part of it."""
    before = f"{released.part}." if released.part else ""
    if not before or any(key.startswith(before) for key in tensors):
        return dict(tensors)
    return {before + key: tensor for key, tensor in tensors.items()}


def _names(
    found: Mapping[str, Tensor], method: MethodSpec, options: dict[str, Any], clip: CLIP, template: str
) -> list[str]:
    classes = ClassNames(("name",), template)
    layout = build_model(method, options, clip, classes, seed=0).prompter.layout(classes)
    if not isinstance(layout, TextLayout):
        raise ReleasedError("it has several sentences for each class: give --classes or --classes-file")
    return names_in(found, clip, layout)


def _check_told(told: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if told.get(name, value) != value:
            raise ValueError(f"{name} is {value!r}, and the file says {told[name]!r}: leave --set {name} out")


def _left_out(
    found: Mapping[str, Tensor], keys: Mapping[str, str | Stored], released: Released, clip: CLIP
) -> dict[str, list[str]]:
    """The keys that are known and not needed. Raises ReleasedError for keys that are missing or unknown."""
    needed = {key.key if isinstance(key, Stored) else key for key in keys.values()}
    spare = sorted(found.keys() - needed)
    frozen = frozen_keys(clip, {key: found[key] for key in spare}, released.teachers)
    reasons: dict[str, list[str]] = {}
    for key in spare:
        if key in frozen:
            reason = "the frozen CLIP"
        elif key.rpartition(".")[2] in _OF_CLASSES:
            reason = "made of the class names"
        elif any(fnmatch.fnmatchcase(key, pattern) for pattern in released.unused):
            reason = "never used by the released code"
        else:
            reason = "unknown"
        reasons.setdefault(reason, []).append(key)
    faults = {"missing": sorted(needed - found.keys()), "unknown": reasons.pop("unknown", [])}
    if any(faults.values()):
        said = "; ".join(f"{what}: {first_few(some, 8)}" for what, some in faults.items() if some)
        raise ReleasedError(f"{said}; is it of another method?")
    return reasons


def _taken(found: Mapping[str, Tensor], key: str | Stored, own: Tensor) -> Tensor:
    """The tensor in the shape that ours has. Raises ReleasedError where it has another than it must."""
    name, shape = (key.key, key.shape) if isinstance(key, Stored) else (key, tuple(own.shape))
    if tuple(found[name].shape) != shape:
        raise ReleasedError(f"{name} is {tuple(found[name].shape)}, {shape} is needed; was it another CLIP or option?")
    return found[name].flatten()[: own.numel()].view(own.shape)
