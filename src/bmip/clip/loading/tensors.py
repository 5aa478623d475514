"""Reads tensors from weight files, without running code that a file may hold."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bmip.clip.loading.backbones import BackboneError, by_hash
from bmip.system.messages import first_few, first_line
from bmip.system.pickles import Damaged, MoreThanTensors, load_pickle


@dataclass(frozen=True)
class Weights:
    """The tensors of a backbone's files."""

    tensors: dict[str, Tensor]
    """The tensors as they are stored, on the CPU, by their names in the files."""

    published: bool
    """Whether the file is one of those that OpenAI published, by its hash."""


def read_weights(files: Sequence[Path], *, sha256: str | None = None, trust: bool = False) -> Weights:
    """All tensors of the files. No code that a file brings along is run.

    Args:
        files: a single file, or the shards of a model.
        sha256: the hash that the file must have, where it is known. A file in the hub's cache must have the hash that
            the cache names it after.
        trust: open a TorchScript archive even if OpenAI did not publish it.

    Raises BackboneError for a file with another hash, for one that cannot be read, and for an archive without `trust`.
    """
    tensors: dict[str, Tensor] = {}
    published = False
    for file in files:
        archive = file.suffix != ".safetensors" and _is_torchscript(file)
        expected = sha256 or _hash_in_cache(file)
        found = _file_hash(file) if expected or archive else ""
        if expected and expected != found:
            raise BackboneError(
                f"{file} is damaged or another file: its sha256 is {found}, {expected} is right; "
                f"delete {file.resolve()} and fetch it again"
            )
        published = by_hash(found) is not None
        if archive and not (published or trust):
            raise BackboneError(
                f"{file} is a TorchScript archive, which can hold code, and its sha256 {found} is none of those OpenAI "
                "published: give trust=True if you know where it comes from, or use safetensors"
            )
        tensors |= _tensors(file, archive)
    return Weights(tensors, published)


def weights_hash(tensors: Mapping[str, Tensor]) -> str:
    """The SHA-256 of names, shapes and values, in the order of the names. Files of the same weights share it.

    Args:
        tensors: contiguous float32 tensors on the CPU, under our names.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}\n".encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def shards(index: Path) -> tuple[Path, ...]:
    """The files that an index of `transformers` names, sorted by name. Raises BackboneError for another file."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BackboneError(f"{index} is not an index of weight files ({error!r}): fetch it again") from error
    for name in names:
        if Path(name).name != name:
            raise BackboneError(f"{index} names {name!r}, which does not lie beside it: fetch the model again")
    return tuple(index.parent / name for name in names)


def _hash_in_cache(file: Path) -> str | None:
    """The hub's cache links to files that are named after their hash."""
    name = file.resolve().name
    return name if re.fullmatch("[0-9a-f]{64}", name) else None


def _file_hash(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _tensors(file: Path, archive: bool) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except SafetensorError as error:
            raise _damaged(file, error) from error
    found = _torchscript(file) if archive else _pickled(file)
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) and isinstance(k, str) for k, t in found.items()):
        raise BackboneError(f"{file} holds {_kind(found)}; a state dict, names to tensors, is needed: save only that")
    return dict(found)


def _is_torchscript(file: Path) -> bool:
    if not zipfile.is_zipfile(file):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise _damaged(file, error) from error


def _torchscript(file: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer versions of torch call its format deprecated
            return dict(torch.jit.load(str(file), map_location="cpu").state_dict())
    except RuntimeError as error:
        raise _damaged(file, error) from error


def _pickled(file: Path) -> object:
    try:
        return load_pickle(file)
    except MoreThanTensors as error:
        raise BackboneError(
            f"{file} is a pickle with more than tensors in it, or not a weight file at all; it was not opened, since a "
            "pickle can run code: save its state dict alone, best as safetensors"
        ) from error
    except Damaged as error:
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> BackboneError:
    return BackboneError(
        f"{file} cannot be read ({first_line(error)}): it is damaged, cut short or no weight file; fetch it again"
    )


def _kind(found: object) -> str:
    if isinstance(found, dict):
        return f"a dict with {first_few(sorted(map(str, found))) or 'nothing in it'}"
    return f"a {type(found).__name__}"
