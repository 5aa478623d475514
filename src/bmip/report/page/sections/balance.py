"""Accuracy on base classes against accuracy on novel ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bmip.metrics import Summary
from bmip.report.columns import Balance
from bmip.report.page.content import Absent, Picture, Section
from bmip.report.page.figures import finished, name_panel, panels
from bmip.report.page.material import Material, headline, title_of
from bmip.report.table_data import TableData


def base_against_novel(material: Material) -> Section | Absent:
    """For each data set a point for each line."""
    found = []
    for number, data in enumerate(material.tables, 1):
        balance = headline(data.layout)
        if isinstance(balance, Balance):
            found.append(_picture(material, data, balance, f"balance-{number}.svg"))
    if not found:
        return Absent("Base against novel", "no protocol with base and novel classes was run")
    return Section("Base against novel classes", found)


def _picture(material: Material, data: TableData, balance: Balance, name: str) -> Picture:
    groups = {str(place): [place] for place in data.places}
    groups |= {"average": data.averaged} if len(data.averaged) > 1 else {}
    each = {
        heading: {label: data.summaries(one, places) for one, label in data.labels.items()}
        for heading, places in groups.items()
    }
    figure, axes = panels(len(each), height=3.0)
    for panel, (heading, lines) in zip(axes, each.items(), strict=True):
        name_panel(panel, heading, f"{balance.base.heading}, accuracy in %", f"{balance.novel.heading}, accuracy in %")
        for label, numbers in lines.items():
            if balance.heading in numbers:
                _point(panel, material.looks[label].style(), label, numbers, balance)
        _contours(panel)
    title = title_of(data)
    return Picture(
        name,
        finished(figure),
        f"Accuracy on novel classes over accuracy on base classes in {title}, one panel for each data set.",
        f"{title}. Mean over seeds; bars are 95 % CIs. On a grey curve the harmonic mean of both is the same.",
    )


def _point(panel: Any, style: Mapping[str, Any], label: str, numbers: Mapping[str, Summary], balance: Balance) -> None:
    base, novel = numbers[balance.base.heading], numbers[balance.novel.heading]
    bars = {"xerr": base.margin, "yerr": novel.margin}
    panel.errorbar(
        base.mean, novel.mean, **bars, label=label, capsize=2, **{**style, "linestyle": "none", "linewidth": 0.8}
    )


def _contours(panel: Any) -> None:
    """Curves of equal harmonic mean, within the limits that the points have given the panel."""
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    limits = (max(0, left), min(100, right)), (max(0, low), min(100, high))
    base, novel = np.meshgrid(*(np.linspace(max(1e-3, start), end, 60) for start, end in limits))
    panel.contour(base, novel, 2 * base * novel / (base + novel), levels=8, colors="#c4c4cc", linewidths=0.6)
    panel.set(xlim=limits[0], ylim=limits[1])
    panel.grid(visible=False)
