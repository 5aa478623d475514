"""The folder of a study: its plan, rows, failures and runs.

plan.toml        the plan as it was given
plan.json        the trials that it asks for, and the labels of their methods
results.jsonl    one row for each finished trial
failures.jsonl   one line for each trial that failed, the last one of a trial counts
shards/          rows and failures of `--shard I/N`, in files of their own
runs/            the folders of the runs
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from bmip.experiments.failures import Failure
from bmip.experiments.results import Results, Row, all_rows
from bmip.experiments.trial import Trial
from bmip.run_spec import FORMAT, check_format
from bmip.studies.checks import PlanError
from bmip.studies.expand import Planned
from bmip.studies.plan import Plan
from bmip.system.clock import utc_now
from bmip.system.files import write_json, write_text
from bmip.system.line_file import LineFile


@dataclass(frozen=True)
class Shard:
    """One of several parts of a study that know nothing of each other: part `number` of `count`, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that "2/8" names. Raises ValueError for another text."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal()) or not 1 <= int(number) <= int(count):
            raise ValueError(f"the shard is {text!r}: give its number and their count, such as 2/8")
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.count}"


@dataclass(frozen=True)
class StudyFolder:
    """A study on disk. What was read of its rows is kept in memory: after that only new lines are read."""

    path: Path
    _kept: dict[Path, Results] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def runs(self) -> Path:
        """The folder of the runs."""
        return self.path / "runs"

    def results(self, shard: Shard | None = None) -> Results:
        """The file of rows that the study, or one of its shards, writes."""
        return self._results(self._file("results", shard))

    def rows(self) -> list[Row]:
        """All rows with the labels that the plan gives to their methods; otherwise as `stored`."""
        return self.labelled(self.stored())

    def labelled(self, rows: Iterable[Row]) -> list[Row]:
        """The rows with the labels that the plan gives to their methods. Raises PlanError without a plan."""
        labels = {one.trial: one.label for one in self.planned()[1]}
        return [replace(row, label=labels.get(row.trial, "")) for row in rows]

    def stored(self) -> list[Row]:
        """All rows as they are stored, those of shards included. Raises ValueError where two files differ."""
        return all_rows(map(self._results, self.files()))

    def misfit(self, planned: Sequence[Planned]) -> str:
        """What is stored here and is not in this plan, and what to do about it; empty where all is in the plan."""
        wanted = {one.trial for one in planned}
        stored = self.stored()
        strange = [row.trial for row in stored if row.trial not in wanted]
        if not strange:
            return ""
        return (
            f"{self.path} holds {len(strange)} of {len(stored)} rows of another plan, such as {strange[0].protocol}, "
            f"{strange[0].described()}: name another folder (--out), or keep them beside the new plan (--accept-plan)"
        )

    def begin(self, plan: Plan, planned: Sequence[Planned], *, accept: bool = False) -> None:
        """Writes the plan. With `accept` it replaces one that no longer fits.

        Raises PlanError where trials that are stored here are not in the plan.
        """
        if not accept and (misfit := self.misfit(planned)):
            raise PlanError(misfit)
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.path / "plan.toml", plan.text)
        trials = [one.trial.to_json() for one in planned]
        labels = [one.label for one in planned]
        write_json(
            self.path / "plan.json",
            {"format": FORMAT, "name": plan.name, "plan": plan.text, "trials": trials, "labels": labels},
        )

    @property
    def has_plan(self) -> bool:
        """Whether a study was begun here."""
        return (self.path / "plan.json").exists()

    def files(self) -> list[Path]:
        """All files of rows, those of shards included."""
        return sorted(self.path.glob("results.jsonl")) + sorted(self.path.glob("shards/*.results.jsonl"))

    def planned(self) -> tuple[str, list[Planned]]:
        """The study's name and its trials. Raises PlanError where the folder holds no plan that can be read."""
        try:
            content = json.loads((self.path / "plan.json").read_text(encoding="utf-8"))
            check_format(content, str(self.path / "plan.json"), "run the study again")
            pairs = zip(content["trials"], content["labels"], strict=True)
            return content["name"], [Planned(Trial.from_json(trial), label) for trial, label in pairs]
        except FileNotFoundError as error:
            raise PlanError(f"{self.path} holds no study: give the file of a plan first") from error
        except (ValueError, KeyError, TypeError) as error:
            raise PlanError(f"{self.path / 'plan.json'} cannot be read: {error}") from error

    def add_failure(self, trial: Trial, failure: Failure, shard: Shard | None = None) -> None:
        """Writes down that a trial failed."""
        line = {"trial": trial.to_json(), "described": trial.described(), **asdict(failure), "time": utc_now()}
        LineFile(self._file("failures", shard)).append(json.dumps(line).encode())

    def failures(self) -> dict[Trial, Failure]:
        """Why trials failed that have no row since. A last line that was cut off by a crash does not count.

        Raises ValueError for another line that cannot be read.
        """
        done = {row.trial for row in self.stored()}
        found: list[tuple[str, Trial, Failure]] = []
        for file in sorted(self.path.glob("failures.jsonl")) + sorted(self.path.glob("shards/*.failures.jsonl")):
            for number, line in enumerate(LineFile(file).read()[0], 1):
                try:
                    content = json.loads(line)
                    trial = Trial.from_json(content["trial"])
                    failure = Failure(content["kind"], content["cause"], content["details"])
                    found.append((content["time"], trial, failure))
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(f"{file}, line {number} cannot be read ({error}): delete it") from error
        found.sort(key=lambda one: one[0])  # of one trial the last counts, whichever file it is in
        return {trial: failure for _, trial, failure in found if trial not in done}

    def _results(self, file: Path) -> Results:
        return self._kept.setdefault(file, Results(file))

    def _file(self, kind: str, shard: Shard | None) -> Path:
        return self.path / f"{kind}.jsonl" if shard is None else self.path / "shards" / f"{shard}.{kind}.jsonl"
