"""Tables in LaTeX, with the rules of the package booktabs, in the layout of the papers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmip.report.columns import Column
from bmip.report.lines import best_lines, groups, lay_out, number
from bmip.report.table import Table
from bmip.report.table_data import TableData

SPECIAL = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "±": r"$\pm$",
    "–": "--",
    "→": r"$\rightarrow$",
}
"""What stands in LaTeX for a letter."""

TEXT_COLUMNS = 2
"""The first columns, data set and method, are aligned left."""


def as_latex(data: TableData, label: str) -> str:
    """The table of these rows; the document refers to it by the label.

    Where a protocol gives one number for each data set, each method has a line and each data set a column, as papers
    print what was trained on one data set and evaluated on others. Otherwise each data set and method has a line.
    """
    table, columns = lay_out(data), data.layout.columns
    if len(columns) == 1 and isinstance(columns[0], Column) and len(data.places) > 1:
        body = _across(data, columns[0])
    else:
        body = _down(table)
    caption = f"\\caption{{{escaped(f'{table.title}. {table.caption}')}}}"
    return "\n".join([r"\begin{table}", r"\centering", caption, f"\\label{{{label}}}", *body, r"\end{table}", ""])


def escaped(text: str) -> str:
    r"""The text with everything written out that means something else to LaTeX.

    >>> print(escaped("50 % of a_b"))
    50 \% of a\_b
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def _down(table: Table) -> list[str]:
    """A line for each data set and method; a rule ends the lines of a data set."""
    lines = [
        _line(_set(cell, bold=(position, column) in table.bold) for column, cell in enumerate(row))
        for position, row in enumerate(table.rows)
    ]
    for position in table.sections:
        if position + 1 < len(lines):
            lines[position] += "\n" + r"\midrule"
    return _tabular(TEXT_COLUMNS, len(table.columns), [_line(map(escaped, table.columns))], lines)


def _across(data: TableData, column: Column) -> list[str]:
    """A line for each method, a column for each data set, and one for the average without the source."""
    source, each = data.layout.source, list(groups(data))
    head = [_line(["method", *(escaped(str(one.places[0]) if len(one.places) == 1 else one.name) for one in each)])]
    if source in data.places:
        over = f"\\multicolumn{{{len(each) - 1}}}{{c}}{{target}}"
        head = [_line(["", "source", over]), f"\\cmidrule(lr){{2-2}} \\cmidrule(lr){{3-{len(each) + 1}}}", *head]
    best = [best_lines(data, one).get(column.heading) for one in each]
    lines = []
    for line, name in data.labels.items():
        found = [number(one.numbers.get(line, {}).get(column.heading)) for one in each]
        shown = [_set(cell, bold=line == winner) for cell, winner in zip(found, best, strict=True)]
        lines.append(_line([escaped(name), *shown]))
    return _tabular(1, len(each) + 1, head, lines)


def _set(text: str, *, bold: bool) -> str:
    return f"\\textbf{{{escaped(text)}}}" if bold else escaped(text)


def _tabular(left: int, count: int, head: Sequence[str], lines: Sequence[str]) -> list[str]:
    """The rows between the rules of booktabs; the first `left` of `count` columns are aligned left."""
    begin = f"\\begin{{tabular}}{{{'l' * left}{'r' * (count - left)}}}"
    return [begin, r"\toprule", *head, r"\midrule", *lines, r"\bottomrule", r"\end{tabular}"]


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"
