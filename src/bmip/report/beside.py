"""What was measured beside what was published, where protocol, method, data set and shots are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bmip.protocols.trial import HALF
from bmip.published import AVERAGE, Published, averaged_over, published
from bmip.report.labels import NAMED, Variant, circumstances, labels
from bmip.report.lines import Layout, cells, places_of, summaries
from bmip.report.table import Table, without_repeats
from bmip.report.tables import grouped, layout, line_of
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
            key = line_of(members)
            lines, lacking = _lines(plan, cells(members, key), labels(members, key), known)
            if lines:
                title = f"{plan.title}, ours and published{circumstances(members, key)}"
                found.append(_table(title, lines, lacking))
    return found


def _lines(
    plan: Layout,
    found: Mapping[tuple[str, Variant], Sequence[Row]],
    called: Mapping[Variant, str],
    known: Sequence[Published],
) -> tuple[list[tuple[str, ...]], list[str]]:
    """The lines, and the data sets whose lack keeps an average away."""
    places, _ = places_of(found, plan)
    lines: list[tuple[str, ...]] = []
    lacking: set[str] = set()
    for name in (*places, AVERAGE):
        for one, label in called.items():
            for paper in known:
                if paper.method != one.method or name not in paper.numbers:
                    continue
                asked = averaged_over(paper) if name == AVERAGE else [name]
                ours = summaries(plan, [found.get((each, one), []) for each in asked])
                if name == AVERAGE:
                    lacking |= {each for each in asked if (each, one) not in found}
                for measure, theirs in zip(paper.measures, paper.numbers[name], strict=True):
                    if measure in ours:
                        numbers = f"{ours[measure].mean:.2f}", f"{theirs:.2f}", f"{ours[measure].mean - theirs:+.2f}"
                        note = f" ({paper.note})" if paper.note else ""
                        lines.append((name, label, measure, *numbers, f"{paper.status}: {paper.source}{note}"))
    return lines, sorted(lacking)


def _table(title: str, lines: Sequence[tuple[str, ...]], lacking: Sequence[str]) -> Table:
    caption = (
        "Published numbers are for ViT-B/16 with OpenAI's weights. Ours are means over seeds, whose intervals stand in "
        "the table of results. Recalled numbers were checked by arithmetic at most: read the paper before quoting one. "
        "Averages, ours too, are over the data sets of the published ones."
    )
    if lacking:
        more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
        caption += f" Where there is none, the results lack some of these: {', '.join(lacking[:NAMED])}{more}."
    return Table(
        title,
        ("data set", "method", "in %", "ours", "published", "difference", "source"),
        without_repeats(lines),
        caption,
    )
