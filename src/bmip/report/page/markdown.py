"""A page as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bmip.report.page.content import Block, Content, Facts, Fold, Gallery, Listing, Picture, Sheet, Text
from bmip.report.table import as_markdown as table_as_markdown


def as_markdown(content: Content, folder: str) -> str:
    """The text of the page; its pictures lie in `folder`, beside the file."""
    lines = [f"# {content.title}", content.subtitle]
    for section in content.sections:
        lines += [f"## {section.heading}", *_blocks(section.blocks, folder)]
    if content.absent:
        lines += ["## Left out", _listed(f"{one.heading}: {one.reason}." for one in content.absent)]
    return "\n\n".join(lines) + "\n"


def _blocks(blocks: Iterable[Block], folder: str) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text():
                yield block.text
            case Listing():
                yield _listed(block.items)
            case Facts():
                yield _listed(f"**{term}**: {meaning}" for term, meaning in block.pairs)
            case Sheet():
                yield table_as_markdown(block.table)
            case Picture():
                yield _shown(block, folder)
                yield block.caption
            case Gallery():
                yield f"**{block.heading}**"
                yield _listed(f"{_shown(picture, folder)} {picture.caption}" for picture in block.pictures)
            case Fold():
                yield f"### {block.summary}"
                yield from _blocks(block.blocks, folder)


def _listed(items: Iterable[str]) -> str:
    return "\n".join(f"* {item}" for item in items)


def _shown(picture: Picture, folder: str) -> str:
    alt = picture.alt.replace("[", "(").replace("]", ")")
    return f"![{alt}]({folder}/{picture.name})"
