"""Empty figures and PNG files. They need no display; matplotlib is imported when the first figure is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bmip.system.files import writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#22223b"


def blank(width: float, height: float) -> Figure:
    """An empty white figure, its width and height in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white")


def save(figure: Figure, path: Path) -> None:
    """Writes the figure to a file. Missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path):
        figure.savefig(path, dpi=150)
