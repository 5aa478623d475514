"""Rows of results as files for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence

from bmip.experiments.results import Row
from bmip.report.flat_columns import Flat, flat_columns
from bmip.report.latex import as_latex
from bmip.report.table_data import table_data


def to_csv(rows: Sequence[Row]) -> bytes:
    """A line with the names of `flat_columns`, then a line for each row. What is unknown is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = flat_columns(rows)
    writer.writerow(column.name for column in columns)
    writer.writerows([_cell(column.of(row)) for column in columns] for row in rows)
    return text.getvalue().encode()


def to_parquet(rows: Sequence[Row]) -> bytes:
    """The same columns, each with its type. What is unknown is null. Raises ImportError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("Parquet needs the package pyarrow: pip install 'bmip[parquet]'") from error
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    columns = flat_columns(rows)
    table = pyarrow.Table.from_arrays(
        [pyarrow.array([column.of(row) for row in rows], kinds[column.kind]) for column in columns],
        names=[column.name for column in columns],
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


def to_json(rows: Sequence[Row]) -> bytes:
    """A list of the rows as they are stored."""
    return (json.dumps([row.to_json() for row in rows], indent=1, ensure_ascii=False) + "\n").encode()


def to_latex(rows: Sequence[Row]) -> bytes:
    """The tables of the rows, for a document that uses the package booktabs."""
    head = "% The preamble of the document needs \\usepackage{booktabs}.\n"
    each = [as_latex(data, f"tab:bmip-{number}") for number, data in enumerate(table_data(rows), 1)]
    return "\n".join([head, *each]).encode()


EXPORTS: Mapping[str, Callable[[Sequence[Row]], bytes]] = {
    "csv": to_csv,
    "parquet": to_parquet,
    "latex": to_latex,
    "json": to_json,
}
"""The content of the file for each format."""


def _cell(value: Flat) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
