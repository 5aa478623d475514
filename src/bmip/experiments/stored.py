"""Finds the stored row of a trial, so that nothing is done twice."""

from __future__ import annotations

from dataclasses import replace

from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row, Work
from bmip.experiments.trial import Trial
from bmip.system.clock import utc_now


class UnreadableResultsError(ValueError):
    """The file of rows cannot be read. That is no failure of a trial, and no trial can be done until it is mended."""


class StoredRows:
    """The rows of a file of results, as they were when it was last read, and those that were added here.

    A row counts for a trial only if it was made with the same backbone and data as `resources` hold.
    """

    def __init__(self, results: Results, resources: Resources) -> None:
        self._results, self._resources = results, resources
        self._added: dict[Work, Row] = {}
        self._rows: dict[Work, Row] = {}
        self.read_again()

    def read_again(self) -> None:
        """Reads what the file has more than before: the rows that other processes have written.

        Raises UnreadableResultsError where it cannot be read.
        """
        try:
            if self._results.path.exists():
                self._rows = {**self._added, **self._results.by_work()}
        except (ValueError, OSError) as error:
            raise UnreadableResultsError(str(error)) from error

    def add(self, row: Row) -> None:
        """Adds a row here, and not in the file."""
        self._added[row.work] = self._rows[row.work] = row

    def find(self, trial: Trial) -> Row | None:
        """The trial's row; None where there is none."""
        return self._rows.get((trial, self._resources.hashes(trial)))

    def of_another_seed(self, trial: Trial) -> Row | None:
        """A row for the trial, copied from the same trial with another seed; None where there is none.

        Rows are copied only where the seed has no effect: for a method without trainable parameters under a protocol
        that draws nothing.
        """
        if protocol(trial.protocol).draws:
            return None
        work = _seedless(trial), self._resources.hashes(trial)
        same = (
            row for row in self._rows.values() if row.trainable == 0 and (_seedless(row.trial), row.work[1]) == work
        )
        found = next(same, None)
        nothing = {"training_seconds": 0.0, "evaluation_seconds": 0.0, "peak_memory": None, "peak_gpu_memory": None}
        return None if found is None else replace(found, trial=trial, time=utc_now(), **nothing)


def _seedless(trial: Trial) -> Trial:
    return replace(trial, run=replace(trial.run, data_seed=0, init_seed=0, shots=0))
