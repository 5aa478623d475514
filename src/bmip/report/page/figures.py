"""Pictures of the page: SVG that is the same for the same numbers, with colours that the colour-blind tell apart."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Any

from bmip.report.figure import INK, blank

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = "#e9e9ec"
ACROSS = 3  # panels in a row
NEAR = 30  # from the lower end of a logarithmic axis to its upper end, to have numbers between the powers of ten
LINE, LETTER, MARK = 0.22, 0.072, 0.6  # inches of a line of the legend, of a letter in it and of a mark


def panels(count: int, *, width: float = 3.2, height: float = 2.6, across: int = ACROSS) -> tuple[Figure, list[Any]]:
    """A figure with so many panels, `across` of them in a row; width and height of a panel are in inches."""
    across = min(across, count)
    down = -(-count // across)
    figure = blank(width * across, height * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for unused in axes[count:]:
        unused.set_visible(False)
    for one in axes[:count]:
        one.tick_params(labelsize=8, colors=INK)
        one.grid(color=GRID)
        one.set_axisbelow(True)
        one.spines[["top", "right"]].set_visible(False)
    return figure, list(axes[:count])


def finished(figure: Figure) -> bytes:
    """The figure as an SVG file, with a legend of all that has a label above its panels."""
    marks = {text: mark for one in figure.axes for mark, text in zip(*one.get_legend_handles_labels(), strict=True)}
    width, height = figure.get_size_inches()
    above = 0.0
    if marks:
        columns = max(1, min(len(marks), int(width / (LETTER * max(map(len, marks)) + MARK))))
        above = 0.1 + LINE * -(-len(marks) // columns)
        figure.set_size_inches(width, height + above)
        figure.legend(marks.values(), marks.keys(), loc="upper left", fontsize=8, frameon=False, ncols=columns)
    figure.tight_layout(rect=(0, 0, 1, 1 - above / (height + above)))
    return as_svg(figure)


def as_svg(figure: Figure) -> bytes:
    """The figure as an SVG file. It names no date and no random number: the same numbers give the same file."""
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "bmip", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    return file.getvalue()


def name_panel(axes: Any, title: str, across: str = "", up: str = "") -> None:
    """The heading of a panel, folded to its width, and what its axes show."""
    axes.set_title("\n".join(textwrap.wrap(title, 44)), loc="left", fontsize=9, color=INK, parse_math=False)
    axes.set_xlabel(across, fontsize=8, color=INK)
    axes.set_ylabel(up, fontsize=8, color=INK)


def count_by_tens(panel: Any) -> None:
    """Makes the axis from left to right logarithmic, once all is drawn, with plain numbers: 200, 5k, 1M."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.xaxis.set_major_locator(LogLocator(subs=(1,) if high > NEAR * low else (1, 2, 5)))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panel.xaxis.set_minor_formatter(NullFormatter())
