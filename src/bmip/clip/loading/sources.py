"""Finds the files of a backbone by a name, a file, a folder or a repository on the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from bmip.clip.loading.backbones import EMBEDDED, Backbone, BackboneError, backbones
from bmip.clip.loading.config_files import IMAGE_PROCESSOR, PROCESSOR, describes_clip
from bmip.clip.loading.tensors import shards
from bmip.system.messages import first_few, first_line, nearest

_TRY = f"to try things out, take the small CLIP that comes with bmip: --backbone {EMBEDDED}"

EMBEDDED_FOLDER = Path(__file__).parents[2] / "embedded" / "weights"

_TRANSFORMERS, _OPEN_CLIP = "config.json", "open_clip_config.json"
_PAIRS = (  # weights and the configuration beside them, in the order of preference
    ("open_clip_model.safetensors", _OPEN_CLIP),
    ("model.safetensors", _TRANSFORMERS),
    ("model.safetensors.index.json", _TRANSFORMERS),
    ("open_clip_pytorch_model.bin", _OPEN_CLIP),
    ("pytorch_model.bin", _TRANSFORMERS),
    ("pytorch_model.bin.index.json", _TRANSFORMERS),
)
_BESIDE = ((PROCESSOR, IMAGE_PROCESSOR), ("tokenizer.json", "vocab.json", "merges.txt"))
"""What says how images and texts are prepared. Without it OpenAI's way is taken, as `transformers` does."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of one backbone."""

    weights: tuple[Path, ...]
    """One file, or all shards."""

    settings: Path | None = None
    """The configuration beside the weights, if there is one."""

    tokenizer: tuple[Path, ...] = ()
    """A tokenizer.json, or vocab.json and merges.txt; empty if there is neither."""

    revision: str = ""
    """The commit of the repository on the hub that they are from."""

    sha256: str | None = None
    """The hash that the file of the weights must have, where it is known."""


def find(source: str | Path) -> Files:
    """The files of a source. What is not on this machine is fetched from the hub.

    A name stands for OpenAI's file in ~/.cache/clip if it is there, else for a repository on the hub. A source that can
    be read in several ways is a name first, then a path, then a hub id; "./ViT-B/16" is always a path.

    Raises:
        FileNotFoundError: for a source that is none of these, and for a folder without a CLIP.
        BackboneError: where the hub cannot be reached, or the repository holds no CLIP.
    """
    if isinstance(source, str):
        if source == EMBEDDED:
            return in_folder(EMBEDDED_FOLDER)
        if backbone := next((known for known in backbones() if known.name == source), None):
            return _named(backbone)
    path = Path(source).expanduser()
    if path.is_dir():
        return in_folder(path)
    if path.is_file():
        return _one_file(path)
    if isinstance(source, str) and _is_hub_id(source):
        return _of_hub(_Repository(source))
    raise FileNotFoundError(
        f"there is no file or folder {str(source)!r}, nor a backbone of this name: {_nearest(source)}"
    )


def in_folder(folder: Path) -> Files:
    """The weights of a folder and the files beside them; safetensors before pickles. Raises FileNotFoundError."""
    for weights, settings in _pairs(folder):
        if (folder / weights).is_file():
            return _with_companions(folder / weights, folder / settings)
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    raise FileNotFoundError(
        f"{folder} holds no CLIP: {_TRANSFORMERS} with model.safetensors or pytorch_model.bin, or {_OPEN_CLIP} with "
        f"open_clip_model.safetensors is needed, found {first_few(names, 8) or 'nothing'}"
    )


def _one_file(path: Path) -> Files:
    settings = path.with_name(dict(_PAIRS)[path.name]) if path.name in dict(_PAIRS) else None
    if settings is not None and settings.is_file():
        return _with_companions(path, settings)
    return Files(weights=shards(path) if path.name.endswith(".index.json") else (path,))


def _with_companions(weights: Path, settings: Path) -> Files:
    files = shards(weights) if weights.name.endswith(".index.json") else (weights,)
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{file} is missing, which {weights.name} names: fetch the model again")
    folder = weights.parent
    one, pair = (folder / "tokenizer.json",), (folder / "vocab.json", folder / "merges.txt")
    tokenizer = next((group for group in (one, pair) if all(file.is_file() for file in group)), ())
    return Files(weights=files, settings=settings, tokenizer=tokenizer)


def _pairs(folder: Path) -> list[tuple[str, str]]:
    """The pairs whose configuration lies in the folder and describes a CLIP."""
    usable = {
        name for name in (_TRANSFORMERS, _OPEN_CLIP) if (folder / name).is_file() and describes_clip(folder / name)
    }
    return [(weights, settings) for weights, settings in _PAIRS if settings in usable]


def _named(backbone: Backbone) -> Files:
    if backbone.file is not None:
        cached = Path("~/.cache/clip").expanduser() / backbone.file
        if cached.is_file():
            return Files(weights=(cached,), sha256=backbone.sha256)
    if backbone.hub is None:
        raise FileNotFoundError(f"{backbone.name} has no files here and no repository on the hub")
    instead = f", or put OpenAI's {backbone.file} into ~/.cache/clip" if backbone.file is not None else ""
    return _of_hub(_Repository(backbone.hub, f"{backbone.name} ({backbone.hub})", instead))


def _of_hub(repository: _Repository) -> Files:
    files = in_folder(repository.fetch())
    return replace(files, revision=repository.commit or "")


def _is_hub_id(source: str) -> bool:
    if source.startswith("ViT-"):  # a name of OpenAI's, misspelt
        return False
    looks = re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", source) is not None
    return looks and not source.endswith((".pt", ".pth", ".bin", ".safetensors", ".ckpt", ".json"))


class _Repository:
    """A repository on the hub, at one commit. The hub is asked only for what its cache does not know."""

    def __init__(self, name: str, called: str = "", instead: str = "") -> None:
        self.name, self.called, self.instead = name, called or name, instead
        self.denied: set[str] = set()
        self.commit: str | None = None

    @cached_property
    def reachable(self) -> bool:
        """Whether the hub answers. Without this question a download tries again for half a minute."""
        try:
            huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(self.name, _TRANSFORMERS), timeout=10)
        except (EntryNotFoundError, HfHubHTTPError):  # an answer as well
            return True
        except Exception:  # of the library for HTTP, which changes with the version; or HF_HUB_OFFLINE is set
            return False
        return True

    def fetch(self) -> Path:
        """The folder in the cache that holds configuration, weights and tokeniser. Raises BackboneError."""
        found = [self.file(name) for name in (_TRANSFORMERS, _OPEN_CLIP)]
        folder = next((path.parent for path in found if path is not None), None)
        if folder is None:
            raise self._missing(f"{_TRANSFORMERS} or {_OPEN_CLIP}")
        pairs = _pairs(folder)
        weights = next((file for name, _ in pairs if (file := self.file(name))), None)
        if pairs and weights is None:
            raise self._missing(" or ".join(name for name, _ in pairs))
        if weights is None:
            return folder
        if weights.name.endswith(".index.json"):
            for shard in shards(weights):
                if self.file(shard.name) is None:
                    raise self._missing(shard.name)
        openai = any(self.name == known.hub and known.file for known in backbones())
        for group in _BESIDE:
            there = [self.file(name) for name in group]
            unknown = [name for name in group if self._unknown(name)]
            if unknown and not any(there) and (weights.name, _TRANSFORMERS) in pairs and not openai:
                raise self._missing(" or ".join(unknown))
        return folder

    def file(self, name: str) -> Path | None:
        """The file in the cache, downloaded if need be; None if the repository lacks it or cannot be reached."""
        try:
            cached = huggingface_hub.try_to_load_from_cache(self.name, name, revision=self.commit)
            if cached is None and self.reachable:
                cached = huggingface_hub.hf_hub_download(self.name, name, revision=self.commit)
        except LocalEntryNotFoundError:
            self.reachable = False
            return None
        except EntryNotFoundError:
            self.denied.add(name)
            return None
        except RepositoryNotFoundError as error:  # or it is closed: the hub does not tell which
            raise BackboneError(
                f"{self.called} is no repository on the hub, or needs a login (`hf auth login`); {_TRY}"
            ) from error
        except Exception as error:  # of the system, the hub, or the library for HTTP, which changes with the version
            raise BackboneError(
                f"{self.called} cannot be fetched from the hub ({first_line(error)}); a second call goes on where this "
                f"one stopped; {_TRY}"
            ) from error
        if not isinstance(cached, str):
            return None
        path = Path(cached)
        self.commit = path.parent.name  # all files of one version, even if the hub gets a new one meanwhile
        return path

    def _unknown(self, name: str) -> bool:
        """Whether neither the cache nor the hub has said if the repository has the file."""
        if name in self.denied:
            return False
        return huggingface_hub.try_to_load_from_cache(self.name, name, revision=self.commit) is None

    def _missing(self, what: str) -> BackboneError:
        if not self.reachable:
            return BackboneError(
                f"{self.called} is not on this machine (the hub's cache lacks {what}) and the hub cannot be reached: "
                f"go online without HF_HUB_OFFLINE once{self.instead}; {_TRY}"
            )
        return BackboneError(f"{self.called} on the hub has no {what}: it is no CLIP that can be loaded")


def _nearest(source: str | Path) -> str:
    names = [backbone.name for backbone in backbones()]
    return nearest(str(source), names, "the names are")
