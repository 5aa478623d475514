"""The whole page: its sections in their order, written to a folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bmip.report.page.content import Absent, Content, Section, pictures
from bmip.report.page.html import as_html
from bmip.report.page.markdown import as_markdown
from bmip.report.page.material import Material
from bmip.report.page.sections.balance import base_against_novel
from bmip.report.page.sections.calibration import reliability
from bmip.report.page.sections.classes import class_changes, confusions
from bmip.report.page.sections.curves import training_curves
from bmip.report.page.sections.efforts import efforts
from bmip.report.page.sections.gates import gates
from bmip.report.page.sections.overview import compared, missing
from bmip.report.page.sections.results import over_shots, published, results
from bmip.report.page.sections.samples import samples
from bmip.report.page.sections.spread import spread
from bmip.report.page.sections.verdicts import verdicts
from bmip.report.source import Source
from bmip.system.files import writing
from bmip.system.messages import counted

SECTIONS: tuple[Callable[[Material], Section | Absent], ...] = (
    compared,
    missing,
    results,
    published,
    verdicts,
    over_shots,
    base_against_novel,
    efforts,
    training_curves,
    class_changes,
    confusions,
    reliability,
    spread,
    gates,
    samples,
)
"""In the order in which they stand on the page."""

INDEX, MARKDOWN, PICTURES = "index.html", "report.md", "pictures"


def page(source: Source) -> Content:
    """The page of a comparison."""
    material = Material(source)
    made = [section(material) for section in SECTIONS]
    return Content(
        source.name,
        f"{counted(len(source.rows), 'result')} in {counted(len(material.tables), 'table')}",
        tuple(one for one in made if isinstance(one, Section)),
        tuple(one for one in made if isinstance(one, Absent)),
    )


def write_page(source: Source, folder: Path) -> Path:
    """Writes index.html, report.md and pictures/ into the folder, and returns the path of index.html.

    A page that is there already is replaced as a whole. Raises FileExistsError for a folder that holds anything else.
    """
    if folder.exists() and not _is_page(folder):
        raise FileExistsError(f"{folder} holds something else than a page: name a new folder")
    content = page(source)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with writing(folder), tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as partial:
        new = Path(partial, "new")
        (new / PICTURES).mkdir(parents=True)
        for picture in pictures(content):
            (new / PICTURES / picture.name).write_bytes(picture.content)
        (new / MARKDOWN).write_text(as_markdown(content, PICTURES), encoding="utf-8")
        (new / INDEX).write_text(as_html(content), encoding="utf-8")
        if folder.exists():
            folder.rename(Path(partial, "old"))
        new.rename(folder)
    return folder / INDEX


def _is_page(folder: Path) -> bool:
    """Whether it is a folder with nothing but a page, or with nothing at all."""
    return folder.is_dir() and {entry.name for entry in folder.iterdir()} <= {INDEX, MARKDOWN, PICTURES}
