"""Where a report's rows come from: files of results or the folder of a study, with what is known beside the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bmip.experiments.failures import Failure
from bmip.experiments.results import Row, read_results
from bmip.experiments.trial import Trial
from bmip.report.filter import select
from bmip.studies.expand import Planned
from bmip.studies.folder import StudyFolder
from bmip.system.method_name import asked_name


@dataclass(frozen=True)
class Source:
    """Rows, and what is known beside them."""

    name: str
    """What the comparison is called."""

    rows: Sequence[Row]
    runs: tuple[Path, ...] = ()
    """Folders below which the runs may have their folders; what is not there is not shown."""

    planned: tuple[Planned, ...] = ()
    """The trials of the study's plan with their labels; none without a plan."""

    failures: Mapping[Trial, Failure] = field(default_factory=dict)
    """Why trials without a row failed."""

    def only(self, data: Sequence[str], methods: Sequence[str]) -> Source:
        """What is of these data sets and methods; an empty list means all. There may be no row where the plan has a
        trial of them.

        Raises ValueError as `select` does, and for names of which the plan of a study without rows has no trial.
        """
        labels = {one.trial: one.label for one in self.planned}

        def names(trial: Trial) -> set[str]:
            label = labels.get(trial, "")
            own = {label, label.replace("_", "-")}
            return {trial.run.method_name, f"{trial.run.method_name}:{trial.run.preset}", *own}

        methods = [asked_name(name) for name in methods]

        def asked(trial: Trial) -> bool:
            return (not data or trial.place in data) and (not methods or bool(names(trial) & set(methods)))

        planned = tuple(one for one in self.planned if asked(one.trial))
        if not self.rows and not planned:
            raise ValueError(f"no trial of the plan is of {' or '.join((*methods, *data))}: ask for others")
        in_plan = {name for one in self.planned for name in (one.trial.place, *names(one.trial))}
        if planned and in_plan.issuperset((*data, *methods)):
            rows = [row for row in self.rows if asked(row.trial)]
        else:  # refused by the first name, if any, that nothing has
            rows = select(self.rows, *(sorted(asked_for, key=in_plan.__contains__) for asked_for in (data, methods)))
        return replace(
            self,
            rows=rows,
            planned=planned,
            failures={trial: failure for trial, failure in self.failures.items() if asked(trial)},
        )


def read_source(places: Sequence[Path], runs: Path | None = None) -> Source:
    """The source that these files of results are, or the folder of a study.

    Folders of runs are looked for where `bmip run`, `bmip study` and `bmip demo` put them, unless `runs` names one.
    Raises ValueError for a folder that is no study's, for one beside other places, and for what cannot be read.
    """
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        beside = (place for file in places for place in (file.parent / "runs", file.parent, file.parent.parent))
        found = dict.fromkeys(beside) if runs is None else [runs]
        return Source(_named(places), read_results(places), tuple(found))
    study = StudyFolder(folder)
    if not study.has_plan:
        raise ValueError(
            f"{folder} is a folder: name the file of results in it, such as results.jsonl, or the folder of a study"
        )
    if len(places) > 1:
        raise ValueError(f"{folder} is the folder of a study: name it alone, or name files of results")
    name, planned = study.planned()
    return Source(name, study.rows(), (runs or study.runs,), tuple(planned), study.failures())


def _named(files: Iterable[Path]) -> str:
    """The names of the files; of their folders for those called results.jsonl."""
    names = (file.resolve().parent.name if file.stem == "results" else file.stem for file in files)
    return ", ".join(dict.fromkeys(names))
