"""Single classes: what training changed against zero-shot, and which classes are taken for which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from jaxtyping import Float

from bmip.report.page.content import Absent, Block, Fold, Picture, Section, Sheet
from bmip.report.page.figures import as_svg, finished, name_panel, panels
from bmip.report.page.judged import Judged
from bmip.report.page.material import Material, title_with_shots
from bmip.report.table import Table, without_repeats

NAMED = 30
"""Classes whose names stand beside a picture; of more there are too many to read."""

DRAWN = 60
"""Classes of which a confusion matrix is drawn; of more, single cells could not be seen."""

OFTEN = 5
"""The confusions that the table lists for each line."""


def class_changes(material: Material) -> Section | Absent:
    """The accuracy of each class minus that of zero-shot, for each trained line."""
    heading, blocks = "Changes of single classes against zero-shot", list[Block]()
    for number, title, members in _groups(material):
        zero = next((one for one in members if not one.trained), None)
        others = [one for one in members if one.trained]
        if zero is None or not others:
            continue
        blocks += _changes(zero, others, title, f"classes-{number}.svg")
    reason = "the folders of the runs hold no predictions of zero-shot and of a trained method for the same images"
    return Section(heading, blocks) if blocks else Absent(heading, reason)


def confusions(material: Material) -> Section | Absent:
    """The most frequent confusions of each line, and its matrix where there are not too many classes."""
    folds = []
    for number, title, members in _groups(material):
        place = f"{members[0].place}, {members[0].part}: {title}"
        few = max(len(one.names) for one in members) <= DRAWN
        drawn = [_matrices(members, place, f"confusion-{number}.svg")] if few else []
        folds.append(Fold(place, (*drawn, Sheet(_frequent(members, place)))))
    if not folds:
        return Absent("Confusion matrices", "no predictions for single images were found in the folders of the runs")
    return Section("Confusion matrices", folds)


def _groups(material: Material) -> Iterator[tuple[int, str, list[Judged]]]:
    """A running number, the title of the table, and the lines of one data set and part."""
    number = 0
    for data, found in material.judged:
        for _, members in groupby(found, lambda one: (one.place, one.part)):
            number += 1
            yield number, title_with_shots(data), list(members)


def _padded(values: Float[np.ndarray, " truth"], size: int) -> Float[np.ndarray, " class"]:
    return np.concatenate([values, np.full(size - len(values), np.nan)])


def _changes(zero: Judged, others: Sequence[Judged], title: str, name: str) -> list[Block]:
    size = max(len(one.names) for one in (zero, *others))
    names = max((one.names for one in (zero, *others)), key=len)
    before = _padded(zero.per_class, size)
    change = np.stack([_padded(one.per_class, size) - before for one in others])
    known = np.flatnonzero(~np.isnan(change).all(axis=0))
    order = known[np.argsort(-np.nanmean(change[:, known], axis=0), kind="stable")]
    most = max(1.0, float(np.nanmax(np.abs(change))))
    few = len(order) <= NAMED
    figure, (panel,) = panels(1, width=9.6, height=0.9 + 0.26 * len(others) + (1.0 if few else 0.2))
    image = panel.imshow(change[:, order], cmap="PuOr", vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    panel.grid(visible=False)
    panel.set_yticks(range(len(others)), [one.label for one in others], parse_math=False)
    ticks = [names[index] for index in order] if few else []
    panel.set_xticks(range(len(ticks)), ticks, rotation=45, ha="right", parse_math=False)
    name_panel(panel, f"{zero.place}, {zero.part}")
    figure.colorbar(image, ax=panel, pad=0.01).ax.tick_params(labelsize=8)
    place = f"{zero.place}, {zero.part}: {title}"
    columns = ("class", zero.label, *(one.label for one in others))
    lines = [(names[index], f"{before[index]:.1f}", *(f"{values[index]:+.1f}" for values in change)) for index in order]
    picture = Picture(
        name,
        finished(figure),
        f"The change of each class in points for each method, {place}. The table below has the numbers.",
        f"{place}. Accuracy of each class minus that of {zero.label}, in points, over all seeds. Purple: gained. "
        "Orange: lost. Classes are in the order of their mean change.",
    )
    caption = f"Accuracy of {zero.label} in %, and the changes of the others in points."
    return [
        picture,
        Fold(f"The numbers: {place}", (Sheet(Table(f"Changes: {place}", columns, tuple(lines), caption)),)),
    ]


def _matrices(members: Sequence[Judged], place: str, name: str) -> Picture:
    figure, axes = panels(len(members), height=3.0)
    names = max((one.names for one in members), key=len)
    for panel, one in zip(axes, members, strict=True):
        totals = one.confusion.sum(axis=1, keepdims=True)
        share = 100 * one.confusion / np.maximum(1, totals)
        panel.imshow(share, cmap="cividis", vmin=0, vmax=100, interpolation="nearest")
        panel.grid(visible=False)
        name_panel(panel, one.label, "answer", "class")
        if len(names) <= NAMED // 2:
            panel.set_xticks(range(len(names)), names, rotation=90, fontsize=7, parse_math=False)
            panel.set_yticks(range(len(names)), names, fontsize=7, parse_math=False)
    figure.tight_layout()
    return Picture(
        name,
        as_svg(figure),
        f"Confusion matrices of {place}, one for each method. The table below has the most frequent confusions.",
        f"{place}. For each class (rows) the share of its images that get each answer (columns), over all seeds, from "
        "0 % (dark blue) to 100 % (yellow).",
    )


def _frequent(members: Sequence[Judged], place: str) -> Table:
    lines = []
    for one in members:
        wrong = one.confusion.copy()
        np.fill_diagonal(wrong, 0)
        totals = one.confusion.sum(axis=1)
        for flat in np.argsort(-wrong, axis=None, kind="stable")[:OFTEN]:
            truth, answer = divmod(int(flat), len(wrong))
            if wrong[truth, answer]:
                share = 100 * wrong[truth, answer] / totals[truth]
                lines.append(
                    (one.label, one.names[truth], one.names[answer], f"{wrong[truth, answer]}", f"{share:.1f}")
                )
    return Table(
        f"Most frequent confusions: {place}",
        ("method", "class", "taken for", "images", "% of the class"),
        without_repeats(lines),
        f"At most {OFTEN} for each method, over all seeds.",
    )
