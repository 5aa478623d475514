"""What the prompts of runs say of themselves: the gate weights of BMIP."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bmip.report.looks import Look
from bmip.report.page.content import Absent, Picture, Section
from bmip.report.page.figures import finished, name_panel, panels
from bmip.report.page.judged import with_most_shots
from bmip.report.page.material import Material, title_with_shots, trained_rows
from bmip.run_spec import RunSpec

Series = Mapping[tuple[str, str], Mapping[int, Sequence[float]]]
"""For each line and tower the values of all seeds, by layer."""

TOWERS = {"text": "-", "image": "--"}


def gates(material: Material) -> Section | Absent:
    """The mean weight of each layer in each tower."""
    found: list[Picture] = []
    seen: set[RunSpec] = set()
    for number, data in enumerate(material.tables, 1):
        series = dict[tuple[str, str], dict[tuple[str, str], dict[int, list[float]]]]()
        for _, label, rows in trained_rows(data):
            for row in with_most_shots(data, rows):
                if row.trial.run in seen:
                    continue
                seen.add(row.trial.run)
                for one in material.runs.gauges(row):
                    panel = series.setdefault((one.quantity, row.trial.run.data), {})
                    panel.setdefault((label, one.tower), defaultdict(list))[one.layer].append(one.mean)
        if series:
            found.append(_picture(series, material.looks, title_with_shots(data), f"gates-{number}.svg"))
    if not found:
        return Absent("Gate weights", "no folder of a run with gates was found; BMIP has such")
    return Section("Gate weights of each layer and tower", found)


def _picture(panel_of: Mapping[tuple[str, str], Series], look: Mapping[str, Look], title: str, name: str) -> Picture:
    figure, axes = panels(len(panel_of))
    for panel, ((quantity, place), series) in zip(axes, panel_of.items(), strict=True):
        name_panel(panel, place, "layer", quantity)
        for (label, tower), layers in series.items():
            style = {**look[label].style(), "linestyle": TOWERS[tower]}
            means = [sum(values) / len(values) for values in layers.values()]
            panel.plot(list(layers), means, label=f"{label}, {tower} tower", **style)
        panel.set_ylim(-0.03, 1.03)
        panel.xaxis.get_major_locator().set_params(integer=True)
    return Picture(
        name,
        finished(figure),
        f"The mean gate weight of every layer in both towers in {title}, one panel for each data set.",
        f"{title}: the share of a tower's own prompt in what enters a layer; the rest is projected from the other "
        "tower. 1 means that nothing comes over. Mean over test images, prompt tokens and seeds.",
    )
