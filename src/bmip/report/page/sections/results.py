"""The tables of the results with their pictures, all metrics, and the published numbers beside ours."""

from __future__ import annotations

from bmip.report.matrix import matrix_tables
from bmip.report.page.content import Absent, Block, Fold, Picture, Section, Sheet
from bmip.report.page.figures import as_svg
from bmip.report.page.material import Material, title_of
from bmip.report.plots import draw_table
from bmip.report.published import beside_published
from bmip.report.table_data import TableData
from bmip.report.tables import all_metrics, tables


def results(material: Material) -> Section | Absent:
    """The tables in the layout of the papers, a picture of each, and tables of all that was measured."""
    if not material.tables:
        return Absent("Results", "no trial has a result")
    rows = material.source.rows
    blocks: list[Block] = [Sheet(table) for table in (*matrix_tables(rows), *tables(rows))]
    shown = [data for data in material.tables if not data.layout.shots_in_columns]
    blocks += [_picture(data, f"results-{number}.svg") for number, data in enumerate(shown, 1)]
    every = tuple(Sheet(table) for table in all_metrics(rows))
    return Section("Results", [*blocks, Fold("All metrics", every)])


def published(material: Material) -> Section | Absent:
    """Our numbers beside the published ones."""
    found = beside_published(material.source.rows)
    if not found:
        reason = "published numbers are for the public data sets and 16 shots, and no row is of this kind"
        return Absent("Published numbers", reason)
    return Section("Published numbers beside ours", [Sheet(table) for table in found])


def over_shots(material: Material) -> Section | Absent:
    """How accuracy grows with the number of training images."""
    found = [data for data in material.tables if data.layout.shots_in_columns and len(data.layout.columns) > 1]
    if not found:
        return Absent("Accuracy over shots", "no protocol was run with several numbers of shots")
    return Section(
        "Accuracy over shots", [_picture(data, f"shots-{number}.svg") for number, data in enumerate(found, 1)]
    )


def _picture(data: TableData, name: str) -> Picture:
    title = title_of(data)
    kind = "Curves" if data.layout.axis else "Dots with bars"
    alt = f"{kind} of the table {title}: the mean of each method on each data set with its 95 % CI."
    return Picture(name, as_svg(draw_table(data)), alt, f"The numbers of the table {title}.")
