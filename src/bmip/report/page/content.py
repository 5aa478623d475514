"""What a page consists of, as plain values. HTML and Markdown are written from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bmip.report.table import Table


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Listing:
    """Short texts, one below the other."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Terms with what is to say about each."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sheet:
    """A table that a reader can sort and filter."""

    table: Table


@dataclass(frozen=True)
class Picture:
    """A picture, in a file of its own for Markdown and inside the page for HTML."""

    name: str
    """The name of its file, without folder; no two of a page are the same."""

    content: bytes
    alt: str
    """What it shows, for those who do not see it."""

    caption: str


@dataclass(frozen=True)
class Gallery:
    """Small pictures side by side."""

    heading: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Fold:
    """Blocks that are hidden until they are asked for; in Markdown and in print they are not."""

    summary: str
    blocks: tuple[Text | Listing | Facts | Sheet | Picture | Gallery, ...]


Block = Text | Listing | Facts | Sheet | Picture | Gallery | Fold


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading."""

    heading: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Absent:
    """A section for which there is nothing to show."""

    heading: str
    reason: str
    """One sentence without a full stop."""


@dataclass(frozen=True)
class Content:
    """A whole page."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    absent: tuple[Absent, ...]


def pictures(content: Content) -> list[Picture]:
    """All pictures of a page in their order."""
    found: list[Picture] = []

    def look(blocks: Sequence[Block]) -> None:
        for block in blocks:
            if isinstance(block, Picture):
                found.append(block)
            elif isinstance(block, Gallery):
                found.extend(block.pictures)
            elif isinstance(block, Fold):
                look(block.blocks)

    for section in content.sections:
        look(section.blocks)
    return found
