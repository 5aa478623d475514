"""A picture of what a model looks at in one image."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.explaining.explain import Explanation, View
from bmip.report.figure import INK, blank, save

PANEL, HEAD = 2.0, 0.45  # inches
BELOW = -0.22  # the image, in heights of a panel
ORANGE, RED, BLUE = (
    torch.tensor(colour)[:, None, None] for colour in ((0.95, 0.45, 0.0), (0.84, 0.15, 0.15), (0.12, 0.35, 0.85))
)
SLOTS = 6
"""Of more image prompt tokens the first are drawn."""


def draw_explanation(found: Explanation, path: Path) -> None:
    """Draws a row for the class token, one for each image prompt, and one for what tells the two names apart.

    Columns are CLIP without prompts, the prompts before training, if that is known, and after it. Orange patches
    receive much attention. In the last row red patches speak for the first name and blue ones for the second; all
    columns have one scale.
    """
    views = found.views
    rows = _attention_rows(views)
    down, across = len(rows) + 1, len(views) + 1
    figure = blank(across * PANEL + 0.2, down * (PANEL + HEAD))
    axes = figure.subplots(down, across, squeeze=False)
    for line in axes:
        for panel in line:
            panel.axis("off")
    axes[0][0].imshow(found.pixels.permute(1, 2, 0).numpy())
    axes[0][0].set_title("the image", fontsize=7, color=INK)
    for number, (line, (label, maps)) in enumerate(zip(axes, rows, strict=False)):
        _label(line[0], label, at=BELOW if number == 0 else 0.5)
        top = max(float(one.max()) for one in maps if one is not None)
        for panel, view, one in zip(line[1:], views, maps, strict=True):
            if one is not None:
                _heat(panel, found.pixels, one / max(top, 1e-12))
                panel.set_title(view.name, fontsize=7, color=INK)
    first, second = found.names
    apart = axes[-1]
    said = f"what tells apart: red speaks for {first!r}, blue for {second!r}"
    _label(apart[0], said, at=0.5 if rows else BELOW)
    largest = max(float(view.for_first.abs().max()) for view in views)
    for panel, view in zip(apart[1:], views, strict=True):
        _signed(panel, found.pixels, view.for_first / max(largest, 1e-12))
        said = f"{first}: {100 * view.probability:.0f} %"
        panel.set_title(f"{view.name}\n{textwrap.shorten(said, 34)}", fontsize=7, color=INK)
    figure.tight_layout(pad=1.2)
    save(figure, path)


def _attention_rows(views: tuple[View, ...]) -> list[tuple[str, list[Tensor | None]]]:
    """For each row its label and the maps of the views; None where a view has no such prompt."""
    seen = [view.attention for view in views]
    if any(one is None for one in seen):
        return []
    known = [one for one in seen if one is not None]
    shares = ", ".join(f"{100 * one.to_slots:.0f} %" for one in known)
    label = f"what the class token looks at in the last layer; it gives {shares} to the image prompts"
    rows: list[tuple[str, list[Tensor | None]]] = [(label, [one.class_token for one in known])]
    count = max(len(one.slots) for one in known)
    for slot in range(min(count, SLOTS)):
        maps = [one.slots[slot] if slot < len(one.slots) else None for one in known]
        rows.append((f"what image prompt {slot + 1} looks at, mean of its layers", maps))
    return rows


def _label(panel: Any, said: str, *, at: float = 0.5) -> None:
    text = textwrap.fill(said, 26)
    panel.text(0, at, text, transform=panel.transAxes, fontsize=8, color=INK, va="center")


def _heat(panel: Any, pixels: Tensor, shares: Tensor) -> None:
    """The image in light grey, the more orange a patch the larger its share."""
    _tinted(panel, pixels, shares, ORANGE)


def _signed(panel: Any, pixels: Tensor, values: Tensor) -> None:
    """The image in light grey, with patches tinted: red for values up to 1, blue down to -1."""
    _tinted(panel, pixels, values.abs(), torch.where(_enlarged(values, pixels.shape[-1]) > 0, RED, BLUE))


def _tinted(panel: Any, pixels: Tensor, shares: Tensor, colour: Tensor) -> None:
    grey = (0.35 + 0.65 * pixels.float() / 255).mean(0, keepdim=True)
    tint = 0.85 * _enlarged(shares, pixels.shape[-1]).clamp(0, 1)
    panel.imshow((grey * (1 - tint) + colour * tint).permute(1, 2, 0).numpy())


def _enlarged(grid: Tensor, side: int) -> Tensor:
    return F.interpolate(grid[None, None].float(), size=(side, side), mode="nearest")[0]
