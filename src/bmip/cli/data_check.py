"""What `bmip data check` prints: counts, faults and few-shot draws of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bmip.cli.console import add, line, note, out, table
from bmip.data.dataset import DataError, Dataset, split_hash
from bmip.data.inspect import Findings, counts
from bmip.data.sampling import sample_few_shot
from bmip.data.shots import shots_hash, write_shots
from bmip.system.messages import counted

MANY = 50  # classes; of more only the ends of the range are shown


def few_shot_draws(dataset: Dataset, shots: int, seeds: list[int], write_to: Path | None) -> dict[int, str]:
    """The hash of the draw of each seed. The draws are written into the folder `write_to`, where there is one."""
    hashes = {}
    for seed in seeds if shots and len(dataset.train) else []:
        try:
            drawn = sample_few_shot(dataset, shots, seed)
        except DataError:  # of a stored draw; the inspection has named it
            continue
        hashes[seed] = shots_hash(drawn)
        if write_to is not None:
            write_shots(drawn, write_to / f"{dataset.name}-shot_{shots}-seed_{seed}.jsonl")
    return hashes


def as_json(name: str, found: Findings, draws: dict[int, str]) -> dict[str, Any]:
    """All that was found, as `--json` prints it."""
    dataset = found.dataset
    return {
        "data": name,
        "split_hash": None if dataset is None else split_hash(dataset),
        "counts": {} if dataset is None else counts(dataset),
        "shots": {str(seed): value for seed, value in draws.items()},
        "faults": found.faults,
        "remarks": found.remarks,
    }


def show(name: str, found: Findings, draws: dict[int, str]) -> None:
    """Prints all that was found for a person."""
    if found.dataset is not None:
        _show_counts(name, found.dataset)
    for seed, value in draws.items():
        line(f"shots, seed {seed}  {value}")
    for fault in found.faults:
        line(f"fault: {fault}")
    for remark in found.remarks:
        note(f"remark: {remark}")
    line(f"{name}: {counted(len(found.faults), 'fault')} found")


def _show_counts(name: str, dataset: Dataset) -> None:
    by_part = counts(dataset)
    shown = table("class", *by_part, title=f"{name}: images of each class and split")
    for column in shown.columns[1:]:
        column.justify = "right"
    if len(dataset.classes) <= MANY:
        for label, row in enumerate(zip(*(one.items() for one in by_part.values()), strict=True)):
            add(shown, f"{label} {row[0][0]}", *(f"{count:,}" for _, count in row))
    else:
        for word, end in (("fewest", min), ("most", max)):
            add(
                shown,
                f"({word} in one of {len(dataset.classes)})",
                *(f"{end(one.values()):,}" for one in by_part.values()),
            )
    shown.add_section()
    add(shown, "all", *(f"{sum(one.values()):,}" for one in by_part.values()))
    out().print(shown)
    line(f"split  {split_hash(dataset)}")
