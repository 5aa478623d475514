"""Training curves, from the histories in the folders of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bmip.report.page.content import Absent, Picture, Section
from bmip.report.page.figures import finished, name_panel, panels
from bmip.report.page.judged import with_most_shots
from bmip.report.page.material import Material, title_with_shots, trained_rows
from bmip.report.table_data import TableData
from bmip.run_spec import RunSpec
from bmip.training.history import EpochMetrics

Curves = Mapping[str, Mapping[str, Sequence[Sequence[EpochMetrics]]]]
"""The histories of all seeds, by data set and line."""

SHOWN: tuple[tuple[str, Callable[[EpochMetrics], float]], ...] = (
    ("mean loss", lambda epoch: epoch.loss),
    ("training accuracy in %", lambda epoch: epoch.train_accuracy),
)
ACROSS = 4  # panels in a row


def training_curves(material: Material) -> Section | Absent:
    """The loss and the accuracy on training images, epoch by epoch; what was shown for one table is not shown again."""
    seen: set[RunSpec] = set()
    found: list[Picture] = []
    for number, data in enumerate(material.tables, 1):
        curves = _curves(material, data, seen)
        if curves:
            found.append(_picture(material, data, curves, f"curves-{number}.svg"))
    if not found:
        return Absent("Training curves", "no folder of a run with a history of its training was found")
    return Section("Training curves", found)


def _curves(material: Material, data: TableData, seen: set[RunSpec]) -> Curves:
    found: dict[str, dict[str, list[Sequence[EpochMetrics]]]] = {}
    for _, label, rows in trained_rows(data):
        for row in with_most_shots(data, rows):
            run = row.trial.run
            if run not in seen and (epochs := material.runs.history(row)):
                found.setdefault(run.data, {}).setdefault(label, []).append(epochs)
            seen.add(run)
    return found


def _picture(material: Material, data: TableData, curves: Curves, name: str) -> Picture:
    shown = [(place, lines, *one) for place, lines in curves.items() for one in SHOWN]
    figure, axes = panels(len(shown), width=2.5, height=2.3, across=ACROSS)
    for panel, (place, lines, unit, of) in zip(axes, shown, strict=True):
        name_panel(panel, place, "epoch", unit)
        for label, histories in lines.items():
            means = _means(histories, of)
            panel.plot(
                range(1, len(means) + 1), means, label=label, **{**material.looks[label].style(), "markersize": 3}
            )
    title = title_with_shots(data)
    return Picture(
        name,
        finished(figure),
        f"Loss and training accuracy over the epochs in {title}: two panels for each data set, one curve for each "
        "method.",
        f"{title}: means over seeds. Losses of different methods have different parts: compare their course, not their "
        "height. Training images are augmented, and prompts change while they are seen.",
    )


def _means(histories: Sequence[Sequence[EpochMetrics]], of: Callable[[EpochMetrics], float]) -> list[float]:
    """The mean of each epoch over the runs that have come to it."""
    longest = max(map(len, histories))
    each = [[of(epochs[place]) for epochs in histories if len(epochs) > place] for place in range(longest)]
    return [sum(values) / len(values) for values in each]
