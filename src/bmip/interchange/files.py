"""Reads and writes the files of released code. No code that a file brings along is run.

Dassl, on which most of that code is built, pickles its scheduler with the checkpoint, and that holds the optimiser.
They are of no use here, so an empty stand-in takes the place of each; any other object in a file is refused.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bmip.prompting.released import ReleasedError
from bmip.system.files import write_bytes
from bmip.system.messages import first_few
from bmip.system.pickles import Damaged, MoreThanTensors, load_pickle


class _Ignored:
    """Takes the place of an object that is of no use here. It keeps nothing of it."""

    def __init__(self, *args: object) -> None: ...

    def __setstate__(self, state: object) -> None: ...


def _table(*args: object) -> dict[Any, Any]:
    """Takes the place of a table with defaults."""
    return {}


_IGNORED = (
    *(f"torch.optim.lr_scheduler.{name}" for name in ("CosineAnnealingLR", "MultiStepLR", "StepLR")),
    *(f"torch.optim.{name}" for name in ("adam.Adam", "adamw.AdamW", "rmsprop.RMSprop", "sgd.SGD")),
    "dassl.optim.radam.RAdam",
    "builtins.dict",
    *(f"numpy.{name}" for name in ("dtype", "core.multiarray.scalar", "_core.multiarray.scalar")),
)
_STAND_INS = [*((_Ignored, name) for name in _IGNORED), (_table, "collections.defaultdict")]
"""For each object that Dassl's checkpoints hold beside tensors and plain values."""

_REAL = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)
"""The types of numbers that are taken."""

_MADE_BY_TORCH = (b"PK", b"\x80")
"""How the files of torch.save begin: an archive, and before torch 1.6 a pickle."""


@dataclass(frozen=True, eq=False)
class ReleasedFile:
    """What a file of released code holds that counts here."""

    tensors: Mapping[str, Tensor]
    """By their keys; those of nested tables are joined by dots."""

    settings: Mapping[str, Any]
    """Plain values beside the tensors, with keys alike."""

    sha256: str


def read_released(file: Path) -> ReleasedFile:
    """The tensors of a checkpoint that `torch.save` wrote: those in its "state_dict" if it has one, otherwise all.

    "module." at the beginning of a tensor's key is left out. Raises ReleasedError for a file that is missing, damaged,
    holds other objects, has no tensors or such that are not plain, has a table twice, or has two values of one key.
    """
    if not file.is_file():
        raise ReleasedError(f"{file} is no file: name a checkpoint of released code, such as model.pth.tar-5")
    content = file.read_bytes()
    if not content.startswith(_MADE_BY_TORCH):
        own = ": prompts of bmip are used as they are" if file.suffix == ".safetensors" else ""
        raise ReleasedError(f"{file} is no checkpoint that torch.save wrote{own}; it was not opened")
    found = _unpickled(content, file)
    state = found.get("state_dict", found) if isinstance(found, dict) else found
    values = _by_key(state, file) if isinstance(state, dict) else {}
    tensors = {key: value for key, value in values.items() if isinstance(value, Tensor)}
    if not tensors:
        held = f"a table with {first_few(map(str, state), 8) or 'nothing'}" if isinstance(state, dict) else repr(state)
        raise ReleasedError(f"{file} has no tensors by name; it holds {held[:200]}: name a checkpoint of released code")
    settings = {key: value for key, value in values.items() if key not in tensors}
    return ReleasedFile(tensors, settings, hashlib.sha256(content).hexdigest())


def write_released(file: Path, content: Mapping[str, Any]) -> None:
    """Writes the file at once; its folder is created if need be."""
    written = io.BytesIO()
    torch.save(dict(content), written)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(file, written.getvalue())


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tables in tables of values whose keys are joined by dots."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        *places, last = key.split(".")
        table = found
        for place in places:
            table = table.setdefault(place, {})
        table[last] = value
    return found


def _unpickled(content: bytes, file: Path) -> object:
    try:
        with torch.serialization.safe_globals(_STAND_INS):
            return load_pickle(io.BytesIO(content))
    except MoreThanTensors as error:
        raise ReleasedError(
            f"{file} holds objects that a checkpoint of released code does not have; it was not opened, since such "
            "objects can run code: save its state dict alone"
        ) from error
    except Damaged as error:
        raise ReleasedError(
            f"{file} cannot be read ({error}): it is damaged, cut short or no checkpoint; fetch it again"
        ) from error


def _by_key(state: dict[Any, Any], file: Path) -> dict[str, Any]:
    """The tensors and plain values by their keys, each once. Raises ReleasedError as `read_released` says."""
    found: dict[str, Any] = {}
    try:
        for key, value in _flat(state, {id(state)}):
            if isinstance(value, Tensor):
                _check_plain(key, value)
            name = key.removeprefix("module.") if isinstance(value, Tensor) else key
            if name in found:
                raise ReleasedError(f"{name} is in it twice: save each key once, with or without `module.` before it")
            found[name] = value
    except RecursionError as error:
        raise ReleasedError(f"{file} has too many tables inside each other: save its state dict alone") from error
    except ReleasedError as error:
        raise ReleasedError(f"{file}: {error}") from error
    return found


def _flat(table: dict[Any, Any], seen: set[int], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{before}{key}", value
        elif id(value) in seen:
            raise ReleasedError(f"{before}{key} is a table that is in it twice, maybe in itself: save each table once")
        else:
            seen.add(id(value))
            yield from _flat(value, seen, f"{before}{key}.")


def _check_plain(key: str, tensor: Tensor) -> None:
    """Raises ReleasedError for a tensor that does not hold all its numbers, or others than real ones."""
    if tensor.layout != torch.strided:
        fault = "is sparse"
    elif tensor.device.type != "cpu":
        fault = f"lies on {tensor.device.type} and has no numbers"
    elif tensor.dtype not in _REAL:
        fault = f"has numbers of the type {tensor.dtype}"
    elif tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        fault = f"is {tuple(tensor.shape)} and holds fewer numbers than that"
    else:
        return
    raise ReleasedError(f"{key} {fault}: save real numbers, all of them, as a contiguous tensor on the processor")
