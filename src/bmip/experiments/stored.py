"""Finds the stored row of a trial, so that nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bmip.experiments.registry import protocol
from bmip.experiments.resources import Circumstances
from bmip.experiments.results import Row
from bmip.experiments.trial import Trial


def find_row(rows: Iterable[Row], trial: Trial, met: Circumstances) -> Row | None:
    """The trial's row among `rows`, made under the same circumstances; None where there is none."""
    return next((row for row in rows if row.trial == trial and _met(row) == met), None)


def find_untrained(rows: Iterable[Row], trial: Trial, met: Circumstances) -> Row | None:
    """The trial's row made from that of another seed, where neither training nor sampling makes them differ.

    That is so for a method without trainable parameters under a protocol that draws nothing.
    """
    if protocol(trial.protocol).draws:
        return None
    same = (row for row in rows if row.trainable == 0 and _seedless(row.trial) == _seedless(trial) and _met(row) == met)
    found = next(same, None)
    return None if found is None else replace(found, trial=trial, seconds=0.0)


def _met(row: Row) -> Circumstances:
    return Circumstances(row.backbone, row.split, row.target_split)


def _seedless(trial: Trial) -> Trial:
    return replace(trial, run=replace(trial.run, data_seed=0, init_seed=0, shots=0))
