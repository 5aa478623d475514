"""Who beats whom: paired differences, probability of improvement, interquartile mean, performance profiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bmip.report.page.content import Absent, Block, Picture, Section, Sheet, Text
from bmip.report.page.figures import finished, name_panel, panels
from bmip.report.page.material import Material, headline, title_of
from bmip.report.standings import Profile, profiles
from bmip.report.table_data import TableData
from bmip.report.verdicts import pairs_table, standings_table

STEPS = 200  # thresholds of a profile
MARKED = 25  # thresholds from one mark of a curve to the next


def verdicts(material: Material) -> Section | Absent:
    """For each table the comparison of every two lines, and what all data sets and seeds say together."""
    heading, blocks = "Who beats whom", list[Block]()
    for number, data in enumerate(material.tables, 1):
        blocks += [Sheet(table) for table in (pairs_table(data), standings_table(data)) if table is not None]
        if len(data.averaged) > 1 and len(data.labels) > 1 and (drawn := _profiles(material, data, number)):
            blocks.append(drawn)
    if not blocks:
        return Absent(heading, "no table has two methods with results for the same data set and seed")
    advice = (
        "A difference is more than chance where its interval excludes zero; where it does not, nothing was shown. All "
        "of this is about other seeds on these data sets, not about other data sets."
    )
    return Section(heading, [Text(advice), *blocks])


def _profiles(material: Material, data: TableData, number: int) -> Picture | None:
    column = headline(data.layout)
    lines = [data.numbers[column.heading].of(one, place).values() for one in data.labels for place in data.averaged]
    every = [value for values in lines for value in values]
    thresholds = np.linspace(max(0.0, min(every) - 1), max(every), STEPS)
    found = profiles(data, column, thresholds)
    if len(found) < 2:
        return None
    figure, (panel,) = panels(1, width=6.4, height=3.2)
    name_panel(panel, "", f"{column.heading}, in %", "runs above it, in %")
    for one in found:
        label = data.labels[one.line]
        look = material.looks[label]
        panel.plot(thresholds, one.shares, label=label, markevery=MARKED, **look.style())
        if one.bounds is not None:
            panel.fill_between(thresholds, *one.bounds, color=look.colour, alpha=0.12, linewidth=0)
    return Picture(
        f"profiles-{number}.svg",
        finished(figure),
        f"Performance profiles of {title_of(data)}: for each threshold of {column.heading} the share of runs above it.",
        f"{title_of(data)}: performance profiles over data sets and seeds. A curve that is higher everywhere belongs "
        f"to the better method. Lines that lack results have none. {_about_bands(found)}",
    )


def _about_bands(found: Sequence[Profile]) -> str:
    if any(one.bounds is not None for one in found):
        return "Bands are 95 % CIs (stratified bootstrap), of lines whose seeds matter."
    return "No curve has a 95 % CI: that needs two seeds on every data set, of a method whose seeds matter."
