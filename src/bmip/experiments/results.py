"""The store of results: one line of JSON for each finished trial, only ever appended to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bmip.experiments.schema import check
from bmip.experiments.trial import Trial
from bmip.metrics import Count
from bmip.run_spec import FORMAT, Settings, check_format, settings
from bmip.system.files import writing

try:
    import fcntl
except ImportError:  # Windows: one process at a time
    fcntl = None


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

    seconds: float
    """Seconds of training, in whichever trial it was done, and of evaluation; without loading."""

    backbone: str
    """The hash of the CLIP's weights."""

    split: str
    """The hash of the data set that was trained on, with its splits."""

    target_split: str = ""
    """The hash of the target; empty for a trial without one."""

    environment: Mapping[str, Any] = field(default_factory=dict)
    """Versions, commit and whether the source differed from it, device, threads."""

    template: str | None = None
    """The template that was chosen on validation images; None where there was nothing to choose."""

    changed: Settings = ()
    """Options and training settings that are not those of the preset which the run names."""

    @property
    def work(self) -> Work:
        """What the row is the result of."""
        return self.trial, Hashes(self.backbone, self.split, self.target_split)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        counts = {name: list(count) for name, count in self.counts.items()}
        plain = {"trial": self.trial.to_json(), "counts": counts, "changed": dict(self.changed)}
        return {"format": FORMAT, **vars(self), **plain}

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
    """Rows in a file. A last line that was cut off by a crash does not count and is replaced by the next append."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def rows(self) -> list[Row]:
        """The rows in the order in which they were finished; of one trial on the same data and backbone only the last.

        Raises FileNotFoundError without a file, ValueError for a folder, and for a line that cannot be read.
        """
        whole, _ = self._content()
        found: dict[Work, Row] = {}
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = Row.from_json(json.loads(line))
            except (ValueError, TypeError) as error:
                raise ValueError(
                    f"{self.path}, line {number} is not a result that can be read: {error}. Mend it or delete it; "
                    "`bmip run` then makes its result again"
                ) from error
            found.pop(row.work, None)
            found[row.work] = row
        return list(found.values())

    def is_cut_off(self) -> bool:
        """Whether the last line was cut off by a crash, so that it is not among the rows."""
        return bool(self._content()[1])

    def _content(self) -> tuple[bytes, bytes]:
        if self.path.is_dir():
            raise ValueError(f"{self.path} is a folder: name the file of results in it, such as results.jsonl")
        return _whole_and_torn(self.path.read_bytes())

    def append(self, row: Row) -> None:
        """Adds a row. When this returns, the row is on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(row.to_json()).encode() + b"\n"
        with writing(self.path), self.path.open("a+b") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            file.seek(0)
            whole, torn = _whole_and_torn(file.read())
            if torn:
                file.truncate(len(whole))
            elif whole and not whole.endswith(b"\n"):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def read_results(paths: Iterable[Path]) -> list[Row]:
    """The rows of several files, each once. Raises ValueError where two files have different results of the same."""
    found: dict[Work, tuple[Row, Path]] = {}
    for path in paths:
        for row in Results(path).rows():
            known, other = found.setdefault(row.work, (row, path))
            if known.counts != row.counts:
                raise ValueError(
                    f"{other} and {path} have different results of {row.trial.protocol}, {row.trial.described()}: "
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


def _whole_and_torn(content: bytes) -> tuple[bytes, bytes]:
    """Everything but the last line if that was cut off, and the last line then."""
    end = content.rfind(b"\n") + 1
    last = content[end:]
    try:
        json.loads(last)
    except ValueError:
        return content[:end], last
    return content, b""
