"""How far the results of single seeds lie apart."""

from __future__ import annotations

from bmip.report.page.content import Absent, Picture, Section
from bmip.report.page.figures import finished, name_panel, panels
from bmip.report.page.material import Material, headline, title_of
from bmip.report.table_data import TableData

TALL = 0.28  # inches for a line


def spread(material: Material) -> Section | Absent:
    """A dot for each pair of seeds."""
    found = []
    for number, data in enumerate(material.tables, 1):
        column = headline(data.layout)
        if any(len(column.values(rows)) > 1 for rows in data.cells.values() if rows[0].trainable or data.layout.drawn):
            found.append(_picture(material, data, f"spread-{number}.svg"))
    if not found:
        return Absent("Spread over seeds", "nothing was trained with more than one seed")
    return Section("Spread over seeds", found)


def _picture(material: Material, data: TableData, name: str) -> Picture:
    column, labels = headline(data.layout), list(data.labels.values())
    figure, axes = panels(len(data.places), height=0.9 + TALL * len(labels), width=3.4)
    for panel, place in zip(axes, data.places, strict=True):
        name_panel(panel, str(place), f"{column.heading}, in %")
        for height, (one, label) in enumerate(data.labels.items()):
            values = list(column.values(data.cells.get((place, one), ())).values())
            style = {**material.looks[label].style(), "linestyle": "none", "markersize": 5}
            panel.plot(values, [height] * len(values), alpha=0.75, **style)
            if values:
                panel.plot([sum(values) / len(values)] * 2, [height - 0.3, height + 0.3], color="black", linewidth=1)
        panel.set_yticks(range(len(labels)), labels, parse_math=False)
        panel.set_ylim(len(labels) - 0.5, -0.5)
    title = title_of(data)
    return Picture(
        name,
        finished(figure),
        f"{column.heading} of every single seed in {title}, one panel for each data set and one row for each method.",
        f"{title}: {column.heading} of every pair of seeds; the stroke is their mean.",
    )
