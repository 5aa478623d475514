"""How the lines of a table are told apart in pictures, by eyes that see all colours and by others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#7f7f7f")
MARKS = ("o", "s", "D", "^")
DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Look:
    """How a line of the tables is drawn in all pictures."""

    colour: str
    mark: str
    dash: str

    def style(self) -> dict[str, Any]:
        """Arguments of matplotlib's `plot`."""
        return {"color": self.colour, "marker": self.mark, "linestyle": self.dash, "markersize": 4, "linewidth": 1.4}


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """A look for each line. Up to sixteen differ in mark or dashes, too, for eyes and prints without colour."""
    found: dict[str, Look] = {}
    for index, label in enumerate(dict.fromkeys(labels)):
        mark = index + index // len(COLOURS)
        dash = mark + index // len(MARKS)
        found[label] = Look(COLOURS[index % len(COLOURS)], MARKS[mark % len(MARKS)], DASHES[dash % len(DASHES)])
    return found
