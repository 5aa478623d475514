"""Tensors out of weight files, without running code that a file brings along."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bmip.clip.loading.backbones import BackboneError, by_hash
from bmip.system.messages import first_few


@dataclass(frozen=True)
class Weights:
    """The tensors of a backbone's files."""

    tensors: dict[str, Tensor]
    sha256: str
    """Of the file; of all shards one after the other where there are several."""


def read_weights(files: Sequence[Path], *, sha256: str | None = None, trust: bool = False) -> Weights:
    """All tensors of the files, on the CPU, as they are stored; `sha256` is what a single file must have.

    A TorchScript archive is opened only where its hash is one of OpenAI's or `trust` is given.
    """
    tensors: dict[str, Tensor] = {}
    whole = hashlib.sha256()
    for file in files:
        own = hashlib.sha256()
        with file.open("rb") as content:
            while chunk := content.read(1 << 20):
                own.update(chunk)
                whole.update(chunk)
        _check_hash(file, own.hexdigest(), sha256)
        tensors |= _tensors(file, own.hexdigest(), trust)
    return Weights(tensors, whole.hexdigest())


def shards(index: Path) -> tuple[Path, ...]:
    """The files an index of `transformers` names, in the order of their names."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BackboneError(f"{index} is not an index of weight files ({error!r}): fetch it again") from error
    for name in names:
        if Path(name).name != name:
            raise BackboneError(f"{index} names {name!r}, which does not lie beside it: fetch the model again")
    return tuple(index.parent / name for name in names)


def _check_hash(file: Path, found: str, expected: str | None) -> None:
    linked = file.resolve()
    if expected is None and re.fullmatch("[0-9a-f]{64}", linked.name):
        expected = linked.name  # the hub's cache links to files named after their hash
    if expected is not None and expected != found:
        raise BackboneError(
            f"{file} is damaged or another file: its sha256 is {found}, {expected} is right; "
            f"delete {linked} and fetch it again"
        )


def _tensors(file: Path, sha256: str, trust: bool) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except SafetensorError as error:
            raise _damaged(file, error) from error
    found = _torchscript(file, sha256, trust) if _is_torchscript(file) else _pickled(file)
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) and isinstance(k, str) for k, t in found.items()):
        raise BackboneError(f"{file} holds {_kind(found)}; a state dict, names to tensors, is needed: save only that")
    return dict(found)


def _is_torchscript(file: Path) -> bool:
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _torchscript(file: Path, sha256: str, trust: bool) -> object:
    if not trust and by_hash(sha256) is None:
        raise BackboneError(
            f"{file} is a TorchScript archive, which can hold code, and its sha256 {sha256} is none of those OpenAI "
            "published: give trust=True if you know where it comes from, or use safetensors"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer versions of torch call its format deprecated
            return dict(torch.jit.load(str(file), map_location="cpu").state_dict())
    except RuntimeError as error:
        raise _damaged(file, error) from error


def _pickled(file: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd files, which end in the errors below
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower() and "weights only" not in str(error).lower():
            raise _damaged(file, error) from error
        raise BackboneError(
            f"{file} is a pickle with more than tensors in it, or not a weight file at all; it was not opened, since a "
            "pickle can run code: save its state dict alone, best as safetensors"
        ) from error
    except Exception as error:  # what a damaged pickle raises is anybody's guess
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> BackboneError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return BackboneError(
        f"{file} cannot be read ({reason}): it is damaged, cut short or no weight file; fetch it again"
    )


def _kind(found: object) -> str:
    if isinstance(found, dict):
        return f"a dict with {first_few(sorted(map(str, found))) or 'nothing in it'}"
    return f"a {type(found).__name__}"
