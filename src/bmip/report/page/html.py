"""A page as one HTML file that needs nothing else: style, script and pictures are inside."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bmip.report.page.content import Content, Picture
from bmip.report.table import Table

HERE = Path(__file__).parent
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
FILTERED = 6
"""Rows from which on a table has a field to filter them."""


def as_html(content: Content) -> str:
    """The text of the page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"data": _data, "filled": _filled, "anchor": _anchor, "kind": _kind}
    return environment.get_template("page.html.jinja").render(
        page=content, style=_inside("page.css"), script=_inside("page.js"), filtered=FILTERED
    )


def _inside(name: str) -> Markup:
    """One of our own files, which stands in the page as it is."""
    return Markup((HERE / name).read_text(encoding="utf-8"))


def _data(picture: Picture) -> str:
    """The picture as an address that holds its content."""
    kind = KINDS[Path(picture.name).suffix]
    return f"data:{kind};base64,{base64.b64encode(picture.content).decode('ascii')}"


def _filled(table: Table) -> list[tuple[str, ...]]:
    """The rows, each with its own first cell: once rows are sorted, none can leave it to the row above."""
    found: list[tuple[str, ...]] = []
    for row in table.rows:
        found.append(row if row[0] or not found else (found[-1][0], *row[1:]))
    return found


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def _kind(block: object) -> str:
    return type(block).__name__
