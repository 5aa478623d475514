"""How the released code of a method stores what it trained, so that its checkpoints can be read and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bmip.clip.model import CLIP
from bmip.system.messages import first_few


class ReleasedError(ValueError):
    """A checkpoint of released code that does not fit the method; the message says which keys came and were needed."""


@dataclass(frozen=True)
class Stored:
    """A tensor that has another shape in a released checkpoint. Ours are its first numbers; the others are not used."""

    key: str
    shape: tuple[int, ...]


class Shapes:
    """The shapes of the tensors in a released checkpoint, without those of CLIP, and plain values beside them."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], said: Mapping[str, Any] | None = None) -> None:
        self._shapes, self.said = shapes, said or {}

    def __contains__(self, key: str) -> bool:
        return key in self._shapes

    def of(self, key: str, axes: int = 2) -> tuple[int, ...]:
        """The shape of one tensor. Raises ReleasedError for a key that is missing, and for another number of axes."""
        if key not in self._shapes:
            others = first_few(sorted(self._shapes), 8) or "nothing"
            raise ReleasedError(f"it has no key {key}; beside the frozen CLIP it has {others}")
        if len(self._shapes[key]) != axes:
            raise ReleasedError(f"{key} is {self._shapes[key]}; {axes} axes are needed")
        return self._shapes[key]

    def axes(self, key: str) -> int:
        """The number of axes of one tensor; 0 where it is missing."""
        return len(self._shapes.get(key, ()))

    def first(self, keys: str, axes: int = 2) -> tuple[int, ...]:
        """As `of`, for the first of these keys, with any number for {}."""
        return self.of(next(iter(self._like(keys)), keys), axes)

    def count(self, keys: str) -> int:
        """How many of these keys there are, with any number for {}."""
        return len(self._like(keys))

    def _like(self, keys: str) -> list[str]:
        pattern = re.compile(re.escape(keys).replace(re.escape("{}"), r"\d+"))
        return [key for key in self._shapes if pattern.fullmatch(key)]


@dataclass(frozen=True, kw_only=True)
class Released:
    """The checkpoints of a method's released code. Keys are those of its whole model, `CustomCLIP`."""

    folder: str = ""
    """The name under which the code registers what it saves; Dassl makes a folder of it."""

    part: str = ""
    """The part of the model that is saved, such as "prompt_learner"; keys in the file are without it. Empty: all."""

    names: Callable[[Any, CLIP], Mapping[str, str | Stored]]
    """From a Config and the CLIP: the released key for each of our trainable parameters, or for a module of them."""

    options: Callable[[Shapes], dict[str, Any]]
    """What the shapes tell about the options of the method. Raises ReleasedError for a key that must be there."""

    file: str = "model-best.pth.tar"
    """The file in that folder; for Dassl the one that is loaded where no epoch is named."""

    said: Callable[[Any], Mapping[str, Any]] | None = None
    """From a Config, what stands beside the tensors, where the file of the code is tables in tables and not Dassl's."""

    strict: bool = False
    """Whether the code loads whole models only, so that the frozen CLIP must be in what is written for it."""

    unused: tuple[str, ...] = ()
    """Keys that the code stores and that have no effect on its predictions; * stands for anything."""

    teachers: tuple[str, ...] = ()
    """What stands before the keys of more copies of the frozen CLIP."""

    fixed: tuple[str, ...] = ()
    """Options that the code does not have: it computes what the preset "released" says, and nothing else."""

    def keys(self, config: Any, clip: CLIP, ours: Iterable[str]) -> dict[str, str | Stored]:
        """The released key for each of our names."""
        names = self.names(config, clip)
        return {name: _key(name, names) for name in ours}


def _key(name: str, names: Mapping[str, str | Stored]) -> str | Stored:
    """The key of the name itself, or else that of the module it belongs to with the rest of the name."""
    module, rest = name, ""
    while module not in names:
        module, dot, last = module.rpartition(".")
        if not dot:
            raise KeyError(f"{name} has no name in the released code")
        rest = f".{last}{rest}"
    found = names[module]
    return found if isinstance(found, Stored) else f"{found}{rest}"
