"""Reliability diagrams: whether answers with a probability of 70 % are right in 70 % of the cases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from bmip.report.page.content import Absent, Block, Picture, Section, Sheet
from bmip.report.page.figures import finished, name_panel, panels
from bmip.report.page.judged import BINS, Judged
from bmip.report.page.material import Material, title_with_shots
from bmip.report.table import Table, without_repeats

FEWEST = 5  # images in a bin that is drawn


def reliability(material: Material) -> Section | Absent:
    """A panel for each data set and part, a curve for each line."""
    blocks: list[Block] = []
    for number, (data, found) in enumerate(material.judged, 1):
        title = title_with_shots(data)
        blocks += [_picture(material, found, title, f"reliability-{number}.svg"), Sheet(_table(found, title))]
    if not blocks:
        return Absent("Reliability diagrams", "no predictions for single images were found in the folders of the runs")
    return Section("Reliability diagrams", blocks)


def _picture(material: Material, found: Sequence[Judged], title: str, name: str) -> Picture:
    groups = [(key, list(group)) for key, group in groupby(found, lambda one: (one.place, one.part))]
    figure, axes = panels(len(groups))
    for panel, ((place, part), members) in zip(axes, groups, strict=True):
        name_panel(panel, f"{place}, {part}", "mean probability in %", "accuracy in %")
        panel.plot([0, 100], [0, 100], color="#9a9aa5", linewidth=0.8, linestyle=":")
        for one in members:
            bins = one.bins[one.bins[:, 0] >= FEWEST * one.runs]
            images, probability, right = bins.T
            panel.plot(
                100 * probability / images, 100 * right / images, label=one.label, **material.looks[one.label].style()
            )
    return Picture(
        name,
        finished(figure),
        f"Accuracy over the probability of the answers in {title}, one panel for each data set and part.",
        f"{title}: answers of all seeds in {BINS} bins of probability; bins with fewer than {FEWEST} images a seed are "
        "left out. Below the dotted line a method is more certain than it is right.",
    )


def _table(found: Sequence[Judged], title: str) -> Table:
    lines = [(f"{one.place}, {one.part}", one.label, f"{one.calibration_error:.1f}", str(one.runs)) for one in found]
    return Table(
        f"Calibration: {title}",
        ("data set", "method", "calibration error in %", "runs"),
        without_repeats(lines),
        f"Expected calibration error over {BINS} bins of the answers of all seeds together. The column ECE of all "
        "metrics has 15 bins and is a mean over seeds.",
    )
