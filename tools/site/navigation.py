"""The order of the pages at the side of the site: that of the links on the first page, docs/index.md."""

from __future__ import annotations

import re


def navigation(page: str) -> str:
    """A hidden table of contents for each part of the page; its caption is the part's heading."""
    _, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    return "".join(_contents(part) for part in parts)


def _contents(part: str) -> str:
    pages = re.findall(r"^\* \[[^]]+\]\(([\w./-]+\.md)\)", part, re.MULTILINE)
    return "\n".join(["\n```{toctree}", ":hidden:", f":caption: {part.splitlines()[0]}", "", *pages, "```\n"])
