"""The rows of the files that a command is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bmip.cli.console import note
from bmip.experiments.results import Results, Row, read_results


def rows_of(files: Sequence[Path]) -> list[Row]:
    """The rows of all files, each once. A last line that was cut off is told.

    Raises ValueError where there is no row, where a line cannot be read, and where two files have different results of
    one trial.
    """
    rows = read_results(files)
    for file in files:
        if Results(file).is_cut_off():
            note(f"the last line of {file} was cut off and does not count: `bmip run` makes its result again")
    if not rows:
        raise ValueError(f"{', '.join(map(str, files))} holds no results: run a protocol first (`bmip run --help`)")
    return rows
