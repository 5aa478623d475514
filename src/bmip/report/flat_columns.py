"""Rows of results as flat tables: one line for each row, one value in each column."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bmip.experiments.results import Row

Flat = str | int | float | bool | None


@dataclass(frozen=True)
class FlatColumn:
    """A column of a flat table. Every value is of the column's kind, or None where it is unknown."""

    name: str
    kind: type[str] | type[int] | type[float] | type[bool]
    meaning: str
    of: Callable[[Row], Flat]
    """The value of a row."""


def _run(name: str, kind: Any, meaning: str) -> FlatColumn:
    return FlatColumn(name, kind, meaning, lambda row: getattr(row.trial.run, name))


def _read(name: str, kind: Any, meaning: str, field: str = "") -> FlatColumn:
    return FlatColumn(name, kind, meaning, lambda row: getattr(row.trial.run.read, field or name))


def _own(name: str, kind: Any, meaning: str, field: str = "") -> FlatColumn:
    return FlatColumn(name, kind, meaning, lambda row: getattr(row, field or name))


def _made_on(name: str, kind: Any, meaning: str) -> FlatColumn:
    return FlatColumn(name, kind, meaning, lambda row: row.environment.get(name))


def _json(name: str, meaning: str, of: Callable[[Row], Any]) -> FlatColumn:
    return FlatColumn(name, str, f"{meaning}, as JSON", lambda row: json.dumps(of(row), ensure_ascii=False))


FIXED: Sequence[FlatColumn] = (
    FlatColumn("protocol", str, "the protocol", lambda row: row.trial.protocol),
    _run("data", str, "the data set that was trained on: a name or a path"),
    FlatColumn("target", str, "the data set that was evaluated, where it is another", lambda row: row.trial.target),
    _run("method", str, "the method's name in rows, such as zero_shot"),
    _own("label", str, "what the plan of a study calls the method; empty: nothing"),
    _run("preset", str, "where options and training settings come from"),
    _json("options", "options of the method", lambda row: dict(row.trial.run.options)),
    _json("training", "training settings", lambda row: dict(row.trial.run.training)),
    _json("changed", "settings that are not those of the preset", lambda row: dict(row.changed)),
    _run("shots", int, "training images per class; 0 means all"),
    _run("data_seed", int, "the data seed"),
    _run("init_seed", int, "the initialisation seed"),
    _run("classes", str, "the classes that were trained on: all, base or novel"),
    _json("base", "the share of the base classes, or their names", lambda row: row.trial.run.base),
    _run("split", str, "the split that was evaluated: test or val"),
    _run("backbone", str, "the CLIP's name"),
    _read("asked_template", str, "the template asked for; empty: the data set's own", "template"),
    _read("class_names", str, "the file with better class names"),
    _read("label_column", str, "the column of labels of a table"),
    _read("split_seed", int, "the seed that drew the split of data that had none"),
    _read("skip_bad_images", bool, "whether images that cannot be read were left out"),
    _read("scaled_decoding", bool, "whether large JPEGs were decoded at a smaller size"),
    _own("template", str, "the template that was chosen on validation images"),
    _own("trainable", int, "the number of trainable parameters"),
    _own("training_seconds", float, "seconds of training"),
    _own("evaluation_seconds", float, "seconds of evaluation"),
    _own("peak_memory", int, "the most bytes that the process held while it trained and evaluated"),
    _own("peak_gpu_memory", int, "the most bytes that torch held on the GPU meanwhile"),
    _own("time", str, "when the row was made, in UTC (ISO 8601)"),
    _own("backbone_hash", str, "the hash of the CLIP's weights", "backbone"),
    _own("split_hash", str, "the hash of the data set trained on, with its splits", "split"),
    _own("target_hash", str, "the hash of the target, with its splits", "target_split"),
    _own("draw_hash", str, "the hash of the few-shot draw", "draw"),
    _made_on("bmip", str, "the version of bmip"),
    _made_on("commit", str, "the commit of its source"),
    _made_on("dirty", bool, "whether the source differed from the commit"),
    _made_on("python", str, "the version of Python"),
    _made_on("torch", str, "the version of torch"),
    _made_on("numpy", str, "the version of NumPy"),
    _made_on("pillow", str, "the version of Pillow"),
    _made_on("system", str, "the operating system and the kind of processor"),
    _made_on("device", str, "cpu, cuda or mps"),
    _made_on("processor", str, "the processor's name, with family, model and extensions where the system tells them"),
    _made_on("cores", int, "cores that the process could use"),
    _made_on("threads", int, "threads of torch"),
    _made_on("memory", int, "bytes of memory of the machine"),
    _made_on("gpu", str, "the GPU's name"),
    _made_on("chunk_tokens", int, "the limit of text tokens at once, where memory was short"),
)  # fmt: skip
"""The columns that every flat table has."""

BY_NAME = {
    "right_PART": "the images of a part that are classified right; PART is base, novel, all ...",
    "total_PART": "the evaluated images of the part",
    "accuracy_PART": "the accuracy on the part, in percent",
    "score_NAME": "another metric, in percent, under its name in the rows: score_auroc ...",
}
"""The columns that stand behind them, by the pattern of their names."""


def flat_columns(rows: Iterable[Row]) -> list[FlatColumn]:
    """The columns of a flat table of these rows: `FIXED`, and those of the parts and scores that some row has."""
    rows = list(rows)
    parts = dict.fromkeys(part for row in rows for part in row.counts)
    scores = dict.fromkeys(name for row in rows for name in row.scores)
    return [*FIXED, *(column for part in parts for column in _of_part(part)), *map(_score, scores)]


def _of_part(part: str) -> list[FlatColumn]:
    def of(what: str) -> Callable[[Row], Flat]:
        return lambda row: getattr(row.counts[part], what) if part in row.counts else None

    return [
        FlatColumn(f"{name}_{part}", kind, BY_NAME[f"{name}_PART"], of(what))
        for name, kind, what in (("right", int, "correct"), ("total", int, "total"), ("accuracy", float, "percent"))
    ]


def _score(name: str) -> FlatColumn:
    return FlatColumn(f"score_{name}", float, BY_NAME["score_NAME"], lambda row: row.scores.get(name))
