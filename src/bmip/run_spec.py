"""One run, described in full, and presets. Trials, run folders, checkpoints and rows of results are made from a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePath
from typing import Any, Literal, cast

from bmip.clip.loading.backbones import EMBEDDED, STANDARD, backbones
from bmip.clip.precision import Precision
from bmip.data.names import dataset_names, embedded_names
from bmip.data.read_config import ReadConfig
from bmip.system.messages import counted
from bmip.system.method_name import asked_name
from bmip.system.seeds import check_seed

FORMAT = 5
"""The number of the format in which runs are written: in run folders, in checkpoints and in rows of results."""

HALF = 0.5
Value = bool | int | float | str
Settings = tuple[tuple[str, Value], ...]
"""Names and values, sorted by name."""


def settings(values: Mapping[str, Any] | None = None, /, **more: Value) -> Settings:
    """Settings of a run, from a mapping or from keywords: `settings(epochs=10, lr=0.01)`.

    Raises ValueError for a value that is not a number, a text or a truth value.
    """
    found = {**(values or {}), **more}
    for name, value in found.items():
        if not isinstance(value, Value):
            raise ValueError(f"{name} is {value!r}: settings are numbers, texts and truth values only")
    return tuple(sorted(found.items()))


@dataclass(frozen=True)
class Tuned:
    """Settings that were chosen for one data set; they win over those of the preset that has them."""

    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """A named set of departures from the defaults of a method's Config and of TrainConfig."""

    source: str
    """Where these settings come from: paper, repository and file, or our own search."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method, by the names of its Config's fields."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Training settings, by the names of TrainConfig's fields."""

    by_data: Mapping[str, Tuned] = field(default_factory=dict)
    """For data sets that have settings of their own, by name, what differs where the prompts are trained on them."""

    def on(self, data: str) -> Preset:
        """The preset as it is for prompts that are trained on this data set."""
        own = self.by_data.get(data)
        if own is None:
            return self
        return replace(self, options={**self.options, **own.options}, training={**self.training, **own.training})


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One training, described in full. Two runs are the same work if their specs are equal.

    Raises ValueError for fewer than 0 shots, for a seed below 0, and for classes or a split that do not exist.
    """

    method: str
    """The method's name in results, such as "zero_shot" or "bmip+promptsrc"."""

    data: str = ""
    """The data set that the prompts are trained on: a name or a path that `load_dataset` takes."""

    classes: Literal["all", "base", "novel"] = "all"
    """Which classes of the data set the prompts are trained on."""

    base: float | tuple[str, ...] = HALF
    """The base classes: the share of the classes that come first, or their names."""

    split: Literal["test", "val"] = "test"
    """The split that is evaluated after training."""

    read: ReadConfig = ReadConfig()
    """How the data set is read."""

    preset: str = "default"
    """Where `options` and `training` come from. It is kept for people; only the settings themselves have an effect."""

    options: Settings = ()
    """Departures from the defaults of the method's Config."""

    training: Settings = ()
    """Departures from the defaults of TrainConfig."""

    shots: int = 16
    """Training images per class; 0 means all."""

    data_seed: int = 1
    """Seed of the few-shot draw, of the order of the training images and of their augmentation."""

    init_seed: int = 1
    """Seed of the initial prompts, and of what a method draws while it trains."""

    backbone: str = ""
    """The CLIP, as `load_clip` takes it; empty: the one that suits the data set (`default_backbone`)."""

    def __post_init__(self) -> None:
        if self.data and not self.backbone:
            object.__setattr__(self, "backbone", default_backbone([self.data]))
        if self.shots < 0:
            raise ValueError(f"{self.shots} shots: give the number of training images per class, or 0 for all")
        for seed in (self.data_seed, self.init_seed):
            check_seed(seed)
        for name, known in (("classes", ("all", "base", "novel")), ("split", ("test", "val"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(known)}")

    @property
    def precision(self) -> Precision:
        """The number type in which the frozen towers compute."""
        return cast(Precision, dict(self.training).get("precision", "float32"))

    @property
    def folder(self) -> str:
        """The relative path of the run's folder. Different specs have different folders."""
        seeds = f"seeds-{self.data_seed}-{self.init_seed}"
        return (
            f"{folder_name(self.data)}/{self.method}-{self.classes}-{self.shots or 'all'}-shots-{seeds}-{self.hash()}"
        )

    @property
    def method_name(self) -> str:
        """The method as one asks for it, such as "zero-shot"; a dotted path stays as it is."""
        return asked_name(self.method)

    def places(self) -> dict[str, str]:
        """The absolute paths of what it names by a path that exists: "data", "class_names", "root" and "backbone"."""
        named = {"class_names": self.read.class_names, "root": self.read.root}
        named |= {"data": self.data} if self.data not in dataset_names() else {}
        named |= {"backbone": self.backbone} if self.backbone not in {one.name for one in backbones()} else {}
        return {what: str(Path(path).resolve()) for what, path in named.items() if path and Path(path).exists()}

    def hash(self) -> str:
        """Ten hexadecimal digits that tell this spec from others."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:10]

    def described(self) -> str:
        """The method, the shots and the seeds, for a person."""
        return f"{self.method_name}, {shots_text(self.shots)}, seeds {self.data_seed}/{self.init_seed}"

    def variant(self) -> RunSpec:
        """This spec without its data set and seeds: what the lines of a table differ in."""
        return replace(self, data="", data_seed=0, init_seed=0, read=ReadConfig(template=self.read.template))

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON. Where things lie on this machine is left out: it is no part of the run."""
        read = {field.name: getattr(self.read, field.name) for field in fields(self.read) if field.compare}
        return {**vars(self), "read": read, "options": dict(self.options), "training": dict(self.training)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RunSpec:
        """The spec that `to_json` wrote. Raises ValueError for missing, unknown and unfit fields."""
        known = {field.name for field in fields(cls)}
        if odd := known ^ set(content):
            raise ValueError(f"this is no run of this version of bmip; missing or unknown: {', '.join(sorted(odd))}")
        for name, kind, what in (
            *((name, str, "a text") for name in ("method", "data", "preset", "backbone")),
            *((name, int, "a whole number") for name in ("shots", "data_seed", "init_seed")),
        ):
            if type(content[name]) is not kind:  # a truth value is no number
                raise ValueError(f"{name} is {content[name]!r}; it must be {what}")
        base = content["base"]
        return cls(
            **{
                **content,
                "read": ReadConfig(**content["read"]),
                "base": base if isinstance(base, float) else tuple(base),
                "options": settings(content["options"]),
                "training": settings(content["training"]),
            }
        )


def folder_name(data: str) -> str:
    """A data set's name, or the last part of its path, as the name of a folder: at most 40 letters."""
    name = PurePath(data).name
    return ("".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name).strip("-") or "data")[:40]


def default_backbone(data: Iterable[str]) -> str:
    """The CLIP for these data sets where none is named.

    It is `embedded` for the data sets that come with bmip, and ViT-B/16 for public ones and for your own images.
    Raises ValueError for data sets of both kinds, and for none.
    """
    ours = {name: name in embedded_names() for name in data}
    if len(set(ours.values())) != 1:
        kinds = f": of {', '.join(ours)} only some come with bmip" if ours else ""
        raise ValueError(f"no one CLIP suits all data{kinds}; name one: --backbone {EMBEDDED} or {STANDARD}")
    return EMBEDDED if all(ours.values()) else STANDARD


def shots_text(shots: int) -> str:
    """A number of shots in words: "1 shot", "16 shots", "all images"."""
    return counted(shots, "shot") if shots else "all images"


def check_format(content: Mapping[str, Any], place: str, cure: str) -> None:
    """Raises ValueError where what was read is not of this version's format; `cure` says what to do about it."""
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{place} has format {content.get('format')}, written by another version of bmip; "
            f"this version reads format {FORMAT}: {cure}"
        )
