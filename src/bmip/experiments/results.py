"""The store of results: one line of JSON for each finished trial, only ever appended to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bmip.experiments.schema import check
from bmip.experiments.trial import Trial
from bmip.metrics import Count
from bmip.run_spec import FORMAT, Settings, check_format, settings
from bmip.system.line_file import LineFile, Mark

SAME = 0.01
"""Points by which scores of one trial may differ between machines."""


@dataclass(frozen=True)
class Hashes:
    """The hashes of what a result was made with: a stored row counts only where they are the same."""

    backbone: str
    """The hash of the CLIP's weights."""

    split: str
    """The hash of the data set that is trained on, with its splits."""

    target_split: str = ""
    """The hash of the trial's target, with its splits; empty without a target."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The result of a trial, and the circumstances under which it was made."""

    trial: Trial
    counts: Mapping[str, Count]
    """Evaluated images and how many are right, by the name of the part: "base", "novel", "all"."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """Other metrics in percent, by name: "auroc"."""

    trainable: int
    """The number of trainable parameters."""

    training_seconds: float
    """Seconds of training, in whichever trial and at whichever time it was done; 0 without trainable parameters."""

    evaluation_seconds: float
    """Seconds of evaluation, choosing a template included. What another seed or trial has evaluated already does not
    count, and loading is part of neither time."""

    peak_memory: int | None = None
    """The most bytes that the process held at one time while it trained and evaluated, the backbone and all libraries
    included; null where the system does not tell. A training that was done before does not count."""

    peak_gpu_memory: int | None = None
    """The same of the bytes that torch held on the GPU; null where there is none."""

    backbone: str
    """The hash of the CLIP's weights."""

    split: str
    """The hash of the data set that was trained on, with its splits."""

    target_split: str = ""
    """The hash of the target; empty for a trial without one."""

    draw: str = ""
    """The hash of the few-shot draw, as `bmip data check` prints it; empty where all images or none were trained on."""

    environment: Mapping[str, Any] = field(default_factory=dict)
    """Versions, commit and whether the source differed from it, and the machine: device, processor, cores, threads,
    bytes of memory, GPU. It names neither a host nor a folder."""

    template: str | None = None
    """The template that was chosen on validation images; None where there was nothing to choose."""

    changed: Settings = ()
    """Options and training settings that are not those of the preset which the run names."""

    time: str
    """When the row was made, in UTC (ISO 8601)."""

    label: str = ""
    """What the plan of a study calls the method. The folder of a study keeps it with the plan, where it may change, and
    not in its rows; a file that is made of them (`bmip results merge`) holds it."""

    @property
    def work(self) -> Work:
        """What the row is the result of."""
        return self.trial, Hashes(self.backbone, self.split, self.target_split)

    def described(self) -> str:
        """The protocol and the trial, for a person."""
        return f"{self.trial.protocol}, {self.trial.described()}"

    @property
    def seconds(self) -> float:
        """Seconds of training and of evaluation."""
        return self.training_seconds + self.evaluation_seconds

    def same_result(self, other: Row) -> bool:
        """Whether the counts are those of the other row, and the scores too, up to `SAME` points."""
        return (
            self.counts == other.counts
            and self.scores.keys() == other.scores.keys()
            and all(math.isclose(score, other.scores[name], abs_tol=SAME) for name, score in self.scores.items())
        )

    def to_line(self) -> bytes:
        """The row as one line of a file of results."""
        return json.dumps(self.to_json()).encode()

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        counts = {name: list(count) for name, count in self.counts.items()}
        plain = {"trial": self.trial.to_json(), "counts": counts, "changed": dict(self.changed)}
        content = {"format": FORMAT, **vars(self), **plain}
        return content if self.label else {name: value for name, value in content.items() if name != "label"}

    @classmethod
    def from_json(cls, content: Any) -> Row:
        """The row that `to_json` wrote. Raises ValueError that names the field of what is no row of this version."""
        if isinstance(content, dict):
            if "trial" in content:
                check_format(content, "it", "move the file away and run again")
            content = {name: value for name, value in content.items() if name != "format"}
        check(content, cls)
        counts = {name: Count(*count) for name, count in content["counts"].items()}
        changed = settings(content.get("changed", {}))
        return cls(**{**content, "trial": Trial.from_json(content["trial"]), "counts": counts, "changed": changed})


Work = tuple[Trial, Hashes]
"""What a row is the result of."""


class Results:
    """Rows in a file. A last line that was cut off by a crash does not count and is replaced by the next append.

    Rows are kept in memory once they were read: where the file has only grown since, the new lines alone are read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = LineFile(self.path)
        self._mark: Mark | None = None
        self._found: dict[Work, Row] = {}

    def rows(self) -> list[Row]:
        """The rows in the order in which they were finished; of one trial on the same data and backbone only the last.

        Raises FileNotFoundError without a file, ValueError for a folder, and for a line that cannot be read.
        """
        return list(self.by_work().values())

    def by_work(self) -> dict[Work, Row]:
        """As `rows`, each by what it is the result of."""
        self._check_path()
        lines, before, mark = self._file.read(self._mark)
        new = self._parsed(lines, before)
        if not before:
            self._found = {}
        for row in new:
            work = row.work
            self._found.pop(work, None)
            self._found[work] = row
        self._mark = mark
        return dict(self._found)

    def is_cut_off(self) -> bool:
        """Whether the last line was cut off by a crash, so that it is not among the rows."""
        self._check_path()
        return self._file.is_cut_off()

    def append(self, row: Row) -> None:
        """Adds a row. When this returns, the row is on the disk."""
        self._file.append(row.to_line())

    def replace(self, rows: Iterable[Row]) -> None:
        """Writes these rows in place of those in the file, at once. Other processes wait to append.

        Raises ValueError, and changes nothing, where the file holds a result that is not among the rows.
        """
        if self.path.exists():
            self._check_path()
        given = {row.work: row for row in rows}

        def change(lines: list[bytes]) -> Iterable[bytes]:
            for row in self._parsed(lines, 0):
                if row.work not in given or not given[row.work].same_result(row):
                    raise ValueError(
                        f"{self.path} holds a result of {row.described()} that would be lost: name this file too, or "
                        "write to another one"
                    )
            return [row.to_line() for row in given.values()]

        self._file.replace(change)

    def _check_path(self) -> None:
        if self.path.is_dir():
            raise ValueError(f"{self.path} is a folder: name the file of results in it, such as results.jsonl")

    def _parsed(self, lines: Iterable[bytes], before: int) -> list[Row]:
        """The rows of these lines; `before` is the number of lines before them."""
        found = []
        for number, line in enumerate(lines, before + 1):
            try:
                found.append(Row.from_json(json.loads(line)))
            except (ValueError, TypeError) as error:
                raise ValueError(
                    f"{self.path}, line {number} is not a result that can be read: {error}. Mend it or delete it; "
                    "`bmip run` then makes its result again"
                ) from error
        return found


def read_results(paths: Iterable[Path]) -> list[Row]:
    """The rows of several files, each once. Raises ValueError where two files have different results of the same."""
    return all_rows(map(Results, paths))


def all_rows(files: Iterable[Results]) -> list[Row]:
    """As `read_results`, of files that were perhaps read before."""
    found: dict[Work, tuple[Row, Path]] = {}
    for file in files:
        for work, row in file.by_work().items():
            known, other = found.setdefault(work, (row, file.path))
            if known is not row and not known.same_result(row):
                raise ValueError(
                    f"{other} and {file.path} have different results of {row.described()}: "
                    "report one of the files at a time, or delete the line that is not to count"
                )
    return [row for row, _ in found.values()]


def with_all_seeds(rows: Iterable[Row], stored: Iterable[Row]) -> list[Row]:
    """The rows, and those stored ones that differ from them in nothing but seeds: every run that was made is shown."""
    rows = list(rows)
    known, given = {_of_any_seed(row) for row in rows}, {row.work for row in rows}
    return rows + [row for row in stored if _of_any_seed(row) in known and row.work not in given]


def _of_any_seed(row: Row) -> Work:
    trial, hashes = row.work
    return replace(trial, run=replace(trial.run, data_seed=0, init_seed=0)), hashes
