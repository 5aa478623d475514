"""What was measured beside what was published, where protocol, method, data set and shots are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from bmip.protocols.trial import HALF
from bmip.published import AVERAGE, Published, averaged_over, published
from bmip.report.lines import Layout, Variant, cells, circumstances, labels, places_of, summaries, variant
from bmip.report.table import Table, without_repeats
from bmip.report.tables import grouped, layout
from bmip.results import Row

SHOTS = 16
"""Of every published number that does not name its own."""


def beside_published(rows: Iterable[Row]) -> list[Table]:
    """A table for each table of the rows for whose lines something was published."""
    found = []
    for members in grouped(rows):
        trial, plan = members[0].trial, layout(members)
        of_shots = trial.protocol == "few-shot"
        known = [one for one in published() if one.protocol == trial.protocol and one.trained_on in ("", trial.data)]
        if known and trial.base == HALF and (of_shots or trial.shots == SHOTS):
            key = partial(variant, shots=not of_shots)
            if lines := _lines(plan, cells(members, key), labels(members, key), known):
                found.append(_table(members[0], plan, lines, shots=not of_shots))
    return found


def _lines(
    plan: Layout,
    found: Mapping[tuple[str, Variant], Sequence[Row]],
    called: Mapping[Variant, str],
    known: Sequence[Published],
) -> list[tuple[str, ...]]:
    places, averaged = places_of(found, plan)
    lines = []
    for name in (*places, AVERAGE):
        for one, label in called.items():
            for paper in known:
                if paper.method != one.method or name not in paper.numbers:
                    continue
                if name == AVERAGE and set(averaged) != set(averaged_over(paper)):
                    continue
                asked = averaged if name == AVERAGE else [name]
                ours = summaries(plan, [found.get((each, one), []) for each in asked])
                for measure, theirs in zip(paper.measures, paper.numbers[name], strict=True):
                    if measure in ours:
                        numbers = f"{ours[measure].mean:.2f}", f"{theirs:.2f}", f"{ours[measure].mean - theirs:+.2f}"
                        note = f" ({paper.note})" if paper.note else ""
                        lines.append((name, label, measure, *numbers, f"{paper.status}: {paper.source}{note}"))
    return lines


def _table(row: Row, plan: Layout, lines: Sequence[tuple[str, ...]], *, shots: bool) -> Table:
    return Table(
        f"{plan.title}, ours and published{circumstances(row, shots=shots)}",
        ("data set", "method", "in %", "ours", "published", "difference", "source"),
        without_repeats(lines),
        "Published numbers are for ViT-B/16 with OpenAI's weights. Ours are means over seeds, whose intervals stand in "
        "the table of results. Recalled numbers were checked by arithmetic at most: read the paper before quoting one.",
    )
