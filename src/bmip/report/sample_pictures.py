"""Pictures of images with their predictions."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from bmip.evaluation.predict import Prediction
from bmip.report.figure import INK, blank, save

RIGHT, WRONG, EMPTY = "#2a9d5c", "#d1495b", "#e9e9ec"
PANEL = 1.6  # inches
LINE = 0.105  # height of a line of text, in panels


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with its class and the prediction of a model."""

    image: UInt8[Tensor, "3 height width"]
    """The pixels, 0 to 255."""

    truth: str
    """The name of the right class."""

    prediction: Prediction
    group: str
    """Samples of a group stand in one row under this heading."""


def draw_samples(samples: Sequence[Sample], path: Path | str) -> None:
    """Draws a row for each group: every image with the predicted name and its probability as a bar.

    The bar is green for a right prediction and red for a wrong one.
    """
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.group, []).append(sample)
    columns = max(map(len, groups.values()))
    figure = blank(PANEL * columns + 0.4, (PANEL + 0.85) * len(groups) + 0.2)
    rows = figure.subfigures(len(groups), 1, squeeze=False)[:, 0]
    for row, (heading, members) in zip(rows, groups.items(), strict=True):
        right = sum(sample.truth == sample.prediction.guesses[0].name for sample in members)
        text = f"{heading}: {right} of {len(members)} right"
        title = row.suptitle(text, x=0.02, y=0.97, ha="left", fontsize=11, color=INK)
        title.set(weight="bold", parse_math=False)
        panels = row.subplots(1, columns, squeeze=False, gridspec_kw={"wspace": 0.16})[0]
        row.subplots_adjust(left=0.02, right=0.98, top=0.84, bottom=0.26)
        for panel in panels[len(members) :]:
            panel.set_visible(False)
        for panel, sample in zip(panels, members, strict=False):
            _draw(panel, sample)
    save(figure, Path(path))


def _draw(panel: Any, sample: Sample) -> None:
    guess = sample.prediction.guesses[0]
    right = guess.name == sample.truth
    colour = RIGHT if right else WRONG
    panel.imshow(sample.image.permute(1, 2, 0).numpy(), interpolation="bicubic", extent=(0, 1, 0, 1), aspect="equal")
    panel.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    for edge in panel.spines.values():
        edge.set(color=colour, linewidth=2.5)
    bar = {"height": 0.06, "left": 0, "clip_on": False}
    panel.barh(-0.09, 1, color=EMPTY, **bar)
    panel.barh(-0.09, guess.probability, color=colour, **bar)
    mark = "✓" if right else "✗"
    name = _folded(f"{mark} {guess.name}", 18)
    panel.text(1, -0.14, f"{100 * guess.probability:.0f} %", **_style(colour, "right"))
    panel.text(0, -0.14, name, **_style(colour))
    if not right:
        panel.text(0, -0.16 - LINE * (1 + name.count("\n")), _folded(f"it is {sample.truth}", 23), **_style(INK))


def _folded(text: str, letters: int) -> str:
    """In at most three lines."""
    return "\n".join(textwrap.wrap(text, letters, max_lines=3, placeholder=" …"))


def _style(colour: str, side: str = "left") -> dict[str, Any]:
    return {"color": colour, "fontsize": 7.5, "va": "top", "ha": side, "clip_on": False, "parse_math": False}
