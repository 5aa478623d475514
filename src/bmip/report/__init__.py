"""Tables and pictures from rows of results. The functions are pure and need no torch."""

from bmip.report.comparison import against_tables
from bmip.report.filter import select
from bmip.report.matrix import matrix_tables
from bmip.report.plots import draw_tables
from bmip.report.published import beside_published
from bmip.report.table import Table, as_markdown, as_rich
from bmip.report.tables import all_metrics, tables
from bmip.report.verdicts import verdict_tables

__all__ = [
    "Table",
    "against_tables",
    "all_metrics",
    "as_markdown",
    "as_rich",
    "beside_published",
    "draw_tables",
    "matrix_tables",
    "select",
    "tables",
    "verdict_tables",
]
