"""The store of results: one line of JSON for each finished trial, only ever appended to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bmip.metrics import Count
from bmip.protocols.trial import Trial

try:
    import fcntl
except ImportError:  # Windows: one process at a time
    fcntl = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came out of a trial, and under which circumstances."""

    trial: Trial
    counts: Mapping[str, Count]
    """Test images judged right, by the name of what was judged ("base", "novel")."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """What else was measured, in percent, by the name of the metric ("auroc")."""

    learned: int
    """Trained values."""

    seconds: float
    """Of judging, and of training where no other trial had done it; without loading the backbone and the data."""

    backbone: str
    """SHA-256 of the weights."""

    split: str
    """SHA-256 of the data set with its splits; with a target both, joined by a plus."""

    environment: Mapping[str, Any] = field(default_factory=dict)
    """Versions, commit and whether the source differed from it, device, threads."""

    template: str | None = None
    """The sentence chosen on the validation split, where a method that learns nothing had several to choose from."""

    def to_json(self) -> dict[str, Any]:
        counts = {name: list(count) for name, count in self.counts.items()}
        said = {**asdict(self), "trial": self.trial.to_json(), "counts": counts}
        return said if self.scores else {name: value for name, value in said.items() if name != "scores"}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Row:
        counts = {name: Count(*count) for name, count in content["counts"].items()}
        return cls(**{**content, "trial": Trial.from_json(content["trial"]), "counts": counts})


class Results:
    """Rows in a file. A last line that was cut off by a crash does not count and is replaced by the next append."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def rows(self) -> list[Row]:
        """In the order in which they were finished; of equal trials the last.

        Raises FileNotFoundError without a file, ValueError that names the line for one that cannot be read.
        """
        whole, _ = _whole_and_torn(self.path.read_bytes())
        found: dict[Trial, Row] = {}
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = Row.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{self.path}, line {number} is not a result that can be read: {error}") from error
            found.pop(row.trial, None)
            found[row.trial] = row
        return list(found.values())

    def append(self, row: Row) -> None:
        """Once this returns the row is on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(row.to_json()).encode() + b"\n"
        with self.path.open("a+b") as file, _alone(file.fileno()):
            file.seek(0)
            whole, torn = _whole_and_torn(file.read())
            if torn:
                file.truncate(len(whole))
            elif whole and not whole.endswith(b"\n"):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def with_all_seeds(rows: Iterable[Row], stored: Iterable[Row]) -> list[Row]:
    """The rows, and those stored ones that differ from them in nothing but seeds: every run that was made is told."""
    rows = list(rows)
    known, asked = {_work(row) for row in rows}, {row.trial for row in rows}
    return rows + [row for row in stored if _work(row) in known and row.trial not in asked]


def _work(row: Row) -> tuple[Trial, str, str]:
    return replace(row.trial, data_seed=0, init_seed=0), row.backbone, row.split


def _whole_and_torn(content: bytes) -> tuple[bytes, bytes]:
    """Everything but the last line if that was cut off, and the last line then."""
    end = content.rfind(b"\n") + 1
    last = content[end:]
    try:
        json.loads(last)
    except ValueError:
        return content[:end], last
    return content, b""


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
