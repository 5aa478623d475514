"""A trial: one training and everything that is judged with it, as a value that can be stored and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePath
from typing import Any

Value = bool | int | float | str
HALF = 0.5
Settings = tuple[tuple[str, Value], ...]
"""Names and values, sorted by name."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Two trials are the same work if they are equal."""

    method: str
    protocol: str = ""
    data: str = ""
    """A name that `load_dataset` knows, or a folder."""

    target: str = ""
    """The data set that is judged, where that is another than the one trained on."""

    base: float | tuple[str, ...] = HALF
    """The base classes, where there are such: the share of the classes that come first, or their names."""

    template: str = ""
    """Of the class names; empty for the data set's own."""

    preset: str = "default"
    """Where `options` and `training` come from; they alone count when it runs."""

    options: Settings = ()
    """Departures from the method's Config."""

    training: Settings = ()
    """Departures from TrainConfig."""

    shots: int = 16
    """Training images per class; 0 means all."""

    data_seed: int = 1
    """Of the few-shot draw, the order of images and their augmentation."""

    init_seed: int = 1
    """Of the initial prompts."""

    backbone: str = "embedded"

    def folder(self, *circumstances: str) -> str:
        """Relative path of the folder in which it is trained; other trials and circumstances have others."""
        said = json.dumps([self.to_json(), *circumstances], sort_keys=True)
        key = hashlib.sha256(said.encode()).hexdigest()[:10]
        name = PurePath(self.data).name
        data = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name).strip("-") or "data"
        return f"{self.protocol}/{data[:40]}/{self.method}-seeds-{self.data_seed}-{self.init_seed}-{key}"

    def described(self) -> str:
        """For a person: data, method, shots and seeds."""
        data = f"{self.data} -> {self.target}" if self.target else self.data
        method = self.method.replace("_", "-")
        return f"{data} {method}, {said_shots(self.shots)}, seeds {self.data_seed}/{self.init_seed}"

    def on(self, data: str, data_seed: int, init_seed: int, *, protocol: str) -> Trial:
        return replace(self, data=data, data_seed=data_seed, init_seed=init_seed, protocol=protocol)

    def variant(self) -> Trial:
        """Without data sets and seeds: what the lines of a table differ in."""
        return replace(self, data="", target="", data_seed=0, init_seed=0)

    def to_json(self) -> dict[str, Any]:
        """Without what `LATER` says: such trials were written before there was more to say."""
        said = {**asdict(self), "options": dict(self.options), "training": dict(self.training)}
        return {name: value for name, value in said.items() if name not in LATER or value != LATER[name]}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Trial:
        """Raises ValueError for fields that a trial of this version does not have, or lacks."""
        said, known = {**LATER, **content}, {field.name for field in fields(cls)}
        if set(said) != known:
            odd = ", ".join(sorted(known ^ set(said)))
            raise ValueError(f"this is no trial of this version of bmip; missing or unknown: {odd}")
        said |= {name: settings(said[name]) for name in ("options", "training")}
        return cls(**{**said, "base": said["base"] if isinstance(said["base"], float) else tuple(said["base"])})


LATER: Mapping[str, Any] = {"target": "", "base": HALF}
"""Fields that joined later, with what held before."""


def said_shots(shots: int) -> str:
    return f"{shots} shot{'s' if shots > 1 else ''}" if shots else "all images"


def settings(values: Mapping[str, Any]) -> Settings:
    """As part of a trial. Raises ValueError for a value that is no number, word or truth value."""
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"{name} is {value!r}: a trial holds numbers, words and truth values only")
    return tuple(sorted(values.items()))
