"""Exports hold what the rows hold: read back by other libraries and put together again."""

import csv
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from bmip.data.read_config import ReadConfig
from bmip.experiments.results import Row
from bmip.experiments.trial import Trial
from bmip.metrics import Count
from bmip.report.export import EXPORTS, to_csv, to_json, to_parquet
from bmip.report.flat_columns import BY_NAME, FIXED, flat_columns
from bmip.run_spec import RunSpec, settings
from bmip.system.environment import environment
from tests.experiments.making import a_trial, replaced
from tests.report.test_tables import ROWS

DOCS = Path(__file__).parents[2] / "docs" / "protocols.md"
HASHES = {"backbone": "backbone_hash", "split": "split_hash", "target_split": "target_hash", "draw": "draw_hash"}
RUN = ("method", "data", "classes", "split", "preset", "shots", "data_seed", "init_seed", "backbone")
READ = ("class_names", "label_column", "split_seed", "skip_bad_images", "scaled_decoding")
PLAIN = (
    "trainable",
    "label",
    "time",
    "training_seconds",
    "evaluation_seconds",
    "peak_memory",
    "peak_gpu_memory",
    "template",
)

TRAINED = replace(
    ROWS[4],
    trial=replace(
        replaced(
            ROWS[4].trial,
            data='my, "own"\nphotos',
            options=settings(depth=3, gate="image"),
            training=settings(lr=0.1, amp=True),
            base=("à", "b,c"),
            read=ReadConfig(template="a {}", skip_bad_images=True, split_seed=7),
        ),
        protocol="open-world",
        target="food",
    ),
    counts={"joint": Count(1, 3), "base": Count(2, 7)},
    scores={"auroc": 100 / 3, "fpr95": 0.0},
    changed=settings(lr=0.1),
    target_split="t",
    draw="d",
    template="a drawing of a {}.",
    label="bmip, depth 3",
    peak_memory=2**40,
    peak_gpu_memory=0,
    environment={**environment(), "commit": None, "dirty": None, "gpu": "H100", "chunk_tokens": 12},
)
MIXED = [*ROWS, TRAINED]


def rebuilt(line: dict[str, Any]) -> Row:
    """The row of a line; None stands for what is unknown."""
    read = ReadConfig(template=line["asked_template"], **{name: line[name] for name in READ})
    base = json.loads(line["base"])
    run = RunSpec(
        **{name: line[name] for name in RUN},
        read=read,
        base=tuple(base) if isinstance(base, list) else base,
        options=settings(json.loads(line["options"])),
        training=settings(json.loads(line["training"])),
    )
    parts = [name.removeprefix("total_") for name in line if name.startswith("total_")]
    counts = {part: Count(line[f"right_{part}"], line[f"total_{part}"]) for part in parts if line[f"total_{part}"]}
    for part, count in counts.items():
        assert line[f"accuracy_{part}"] == 100 * count.correct / count.total
    scores = {name: value for name, value in line.items() if name.startswith("score_") and value is not None}
    made_on = {name: line[name] for name in (*environment(), "chunk_tokens")}
    return Row(
        trial=Trial(protocol=line["protocol"], run=run, target=line["target"]),
        counts=counts,
        scores={name.removeprefix("score_"): value for name, value in scores.items()},
        changed=settings(json.loads(line["changed"])),
        environment={name: value for name, value in made_on.items() if value is not None},
        **{name: line[name] for name in PLAIN},
        **{field: line[name] for field, name in HASHES.items()},
    )


def expected(rows: list[Row]) -> list[Row]:
    """What is unknown is left out of the environment."""
    known = [{name: value for name, value in row.environment.items() if value is not None} for row in rows]
    return [replace(row, environment=each) for row, each in zip(rows, known, strict=True)]


def test_csv_holds_the_rows() -> None:
    kinds = {column.name: column.kind for column in flat_columns(MIXED)}
    may_be_null = {"template", "peak_memory", "peak_gpu_memory", *environment(), "chunk_tokens"}

    def value(name: str, text: str) -> Any:
        if text == "" and (name in may_be_null or kinds[name] is not str):
            return None
        return {"true": True, "false": False}[text] if kinds[name] is bool else kinds[name](text)

    text = to_csv(MIXED).decode()
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    found = [{name: value(name, cell) for name, cell in line.items()} for line in lines]
    assert [rebuilt(line) for line in found] == expected(MIXED)


def test_parquet_holds_the_rows() -> None:
    table = parquet.read_table(io.BytesIO(to_parquet(MIXED)))
    assert [rebuilt(line) for line in table.to_pylist()] == expected(MIXED)
    kinds = {str: "string", int: "int64", float: "double", bool: "bool"}
    assert {field.name: str(field.type) for field in table.schema} == {
        column.name: kinds[column.kind] for column in flat_columns(MIXED)
    }


def test_json_is_a_list_of_the_rows_as_they_are_stored() -> None:
    content = json.loads(to_json(MIXED))
    assert content == [json.loads(row.to_line()) for row in MIXED]
    assert [Row.from_json(one) for one in content] == MIXED


def test_each_name_of_a_column_is_there_once() -> None:
    names = [column.name for column in flat_columns(MIXED)]
    assert len(names) == len(set(names))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"needs the package pyarrow: pip install 'bmip\[parquet\]'"):
        EXPORTS["parquet"](ROWS)


def test_the_page_explains_every_column() -> None:
    page = DOCS.read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE))
    meanings = {column.name: column.meaning for column in FIXED} | BY_NAME
    assert {name: told.get(name) for name in meanings} == meanings


def test_a_trial_with_plain_settings_comes_back() -> None:
    row = replace(ROWS[0], trial=a_trial(method="bmip", data="x"))
    (line,) = parquet.read_table(io.BytesIO(to_parquet([row]))).to_pylist()
    assert rebuilt(line) == row
