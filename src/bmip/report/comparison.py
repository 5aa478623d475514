"""Differences of every method to one reference method, paired by seeds."""

from __future__ import annotations

from collections.abc import Iterable

from bmip.experiments.results import Row
from bmip.metrics import Comparison
from bmip.report.labels import Variant
from bmip.report.lines import ABSENT, by_cells
from bmip.report.pairs import pair
from bmip.report.seeds import seeds_text
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData, table_data
from bmip.system.messages import first_few


def against_tables(rows: Iterable[Row], reference: str) -> tuple[list[Table], list[str]]:
    """The tables of differences, and a message for each table that has no line of the reference.

    `reference` is the name of a line in the tables, such as "zero-shot". Raises ValueError if no table has that line.
    """
    found, lacking = [], []
    for data in table_data(rows):
        title = f"{data.layout.title} against {reference}{data.circumstances}"
        chosen = next((one for one, label in data.labels.items() if label == reference), None)
        if chosen is not None:
            found.append(_table(title, data, chosen))
        else:
            there = ", ".join(data.labels.values())
            lacking.append(f"{title}: {reference!r} is no line of the table: there are {there}")
    if not found:
        raise ValueError("; ".join(lacking))
    return found, lacking


def _table(title: str, data: TableData, chosen: Variant) -> Table:
    lines: list[tuple[str, ...]] = []
    sections: list[int] = []
    lacking: dict[str, str] = {}
    groups = [(str(place), [place]) for place in data.places]
    groups += [("average", data.averaged)] if len(data.averaged) > 1 else []
    for name, places in groups:
        for one, label in data.labels.items():
            compared = [pair(data, column, one, chosen, places) for column in data.layout.columns]
            known = [found for found in compared if found is not None]
            if one == chosen or not known:
                continue
            shown = [ABSENT if found is None else _with_p(found.comparison) for found in compared]
            pairs = seeds_text([set(seeds) for found in known for seeds in found.cells.values()])
            lines.append((name, label, *shown, pairs))
            if len(places) > 1 and (cells := dict.fromkeys(cell for found in known for cell in found.lacking)):
                lacking[label] = ", ".join(cells)
        if lines and sections[-1:] != [len(lines) - 1]:
            sections.append(len(lines) - 1)
    return Table(
        title,
        ("data set", "method", *(column.heading for column in data.layout.columns), "pairs"),
        without_repeats(lines),
        f"Differences to {data.labels[chosen]} in points, run by run with the same seeds. {DIFFERENCE} It is not "
        "corrected for the number of comparisons. Pairs: the seeds that both sides have"
        f"{'.' if data.layout.drawn else '; an untrained method has every seed.'}" + about_lacking(lacking),
        tuple(sections),
    )


DIFFERENCE = (
    "Harmonic means are those of single runs. Behind ± stands half the 95 % CI (Student's t; on average, from the "
    "spread over seeds within each data set); p is that of the same two-sided test, which needs two seeds on every "
    "data set and differences that vary."
)
"""What a difference is, for a caption."""


def about_lacking(lacking: dict[str, str]) -> str:
    """A sentence on the cells that comparisons had to leave out, by the names of what is compared."""
    named = "; ".join(f"{first_few(names)} without {cells}" for cells, names in by_cells(lacking).items())
    return f" Averages over fewer results than the table has: {named}." if named else ""


def shown_difference(comparison: Comparison) -> str:
    """The difference with half its 95 % CI: "+2.0 ± 1.1"."""
    mean = round(comparison.difference.mean, 1) + 0.0  # no "-0.0"
    margin = comparison.difference.margin
    return f"{mean:+.1f}" if margin is None else f"{mean:+.1f} ± {margin:.1f}"


def shown_p(p: float | None) -> str:
    """A p value with three digits, or that it is smaller; a dash for None."""
    if p is None:
        return ABSENT
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _with_p(comparison: Comparison) -> str:
    """A difference and its p: "+2.0 ± 1.1, p 0.003"; without a CI there is no p."""
    shown = shown_difference(comparison)
    return shown if comparison.difference.margin is None else f"{shown}, p {shown_p(comparison.p)}"
