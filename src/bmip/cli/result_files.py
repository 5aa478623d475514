"""The rows of the files, or of the study, that a command is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bmip.cli.console import note
from bmip.experiments.results import Results, Row
from bmip.report.source import Source, read_source
from bmip.studies.folder import StudyFolder


def source_of(places: Sequence[Path], runs: Path | None = None) -> Source:
    """The rows of all files, or of the folder of a study, each once. A last line that was cut off is told.

    There may be none. Raises ValueError where a line cannot be read, and where two files have different results of one
    trial.
    """
    source = read_source(places, runs)
    for file in [file for place in places for file in (StudyFolder(place).files() if place.is_dir() else [place])]:
        if Results(file).is_cut_off():
            note(f"the last line of {file} was cut off and does not count: `bmip run` makes its result again")
    return source


def check_rows(source: Source, places: Sequence[Path], asked: Sequence[str] = ()) -> None:
    """Raises ValueError for a source without rows; `asked` names the data sets and methods that it was narrowed to."""
    if source.rows:
        return
    if source.planned:
        of = f" of {' or '.join(asked)}" if asked else ""
        raise ValueError(
            f"{places[0]} holds no results{of}: `bmip study {places[0]} --status` says what failed and what is missing"
        )
    raise ValueError(f"{', '.join(map(str, places))} holds no results: run a protocol first (`bmip run --help`)")


def rows_of(places: Sequence[Path]) -> list[Row]:
    """The rows of `source_of`. Raises what it raises, and ValueError where there are none."""
    source = source_of(places)
    check_rows(source, places)
    return list(source.rows)
