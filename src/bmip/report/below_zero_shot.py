"""Finds trained results that are below zero-shot on the same data set."""

from __future__ import annotations

from collections import defaultdict

from bmip.report.columns import Balance
from bmip.report.lines import summaries
from bmip.report.table_data import TableData
from bmip.system.messages import first_few


def below_zero_shot(data: TableData) -> str:
    """A sentence that names the lines and data sets whose mean is below that of zero-shot; empty if there are none.

    Where a table has a harmonic mean of base and novel accuracy, that is compared; otherwise every column.
    """
    reference = next((one for one in data.labels if one.method == "zero_shot"), None)
    if reference is None:
        return ""
    columns = data.layout.columns
    balances = [column.heading for column in columns if isinstance(column, Balance)]
    compared = balances[:1] or [column.heading for column in columns]
    found: dict[str, list[str]] = defaultdict(list)
    for place in data.places:
        plain = summaries(data.layout, data.line(reference, [place]))
        for one, label in data.labels.items():
            own = summaries(data.layout, data.line(one, [place]))
            below = [name for name in compared if name in own and name in plain and own[name].mean < plain[name].mean]
            if below and any(row.trainable for row in data.cells[place, one]):
                found[label].append(str(place) if len(compared) == 1 else f"{place} ({', '.join(below)})")
    if not found:
        return ""
    where = f" in {compared[0]}" if len(compared) == 1 else ""
    named = "; ".join(f"{label} on {first_few(places)}" for label, places in found.items())
    return f" Below {data.labels[reference]}{where}: {named}."
