"""`bmip results`: list, export, merge."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bmip.experiments.results import Results, Row
from bmip.metrics import Count
from tests.cli.conftest import Cli
from tests.cli.test_errors import refused
from tests.cli.test_report import stored
from tests.experiments.making import replaced
from tests.report.test_tables import ROWS, judged

WHOLE = [*ROWS, judged("few-shot", "coop", 4, {"all": 77}, data="z")]


def lines(text: str) -> list[list[str]]:
    """The cells of a printed table without its heading."""
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()[3:] if line.strip()
    ]


def test_rows_are_listed_with_the_newest_last(cli: Cli) -> None:
    found = lines(cli("results", stored("r", WHOLE)).out)
    assert len(found) == len(WHOLE)
    assert found[0][:6] == ["base-to-novel", "x", "zero-shot:default", "16", "1/1", "base 50.0, novel 60.0"]
    assert found[-1][:6] == ["few-shot", "z", "coop:default", "16", "4/4", "all 77.0"]
    assert cli("results", "list", "r").out == cli("results", "r").out
    early, late = (
        replace(WHOLE[place], time=f"2026-{month}-01T00:00:00+00:00") for place, month in ((0, "01"), (-1, "11"))
    )
    for shards in ([late], [early]), ([early], [late]):
        names = [stored(f"shard-{place}", rows) for place, rows in enumerate(shards)]
        assert [line[1] for line in lines(cli("results", *names).out)] == ["x", "z"]


def test_what_is_unknown_is_a_dash(cli: Cli) -> None:
    row = replace(ROWS[3], peak_memory=2_500_000_000, evaluation_seconds=12.0)
    ((*_, trainable, training, evaluation, memory, gpu),) = lines(cli("results", stored("r", [row])).out)
    assert (trainable, training, evaluation, memory, gpu) == ("1,234", "1 s", "12 s", "2.5 GB", "–")


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--protocol", "few-shot"], 1),
        (["--data", "x", "z"], 7),
        (["--method", "bmip"], 6),
        (["--seeds", "1", "4"], 5),
        (["--method", "bmip", "coop", "--data", "x", "--seeds", "2", "3"], 2),
    ],
)
def test_filters(cli: Cli, options: list[str], count: int) -> None:
    stored("r", WHOLE)
    for arguments in (["r", *options], [*options, "--", "r"]):
        assert len(lines(cli("results", *arguments).out)) == count


def test_filters_without_rows_are_refused(cli: Cli) -> None:
    stored("r", WHOLE)
    refused(cli("results", "r", "--seeds", "9"), "'9' is no seed of these results: there is 1, 2, 3, 4")
    refused(cli("results", "r", "--protocol", "domain"), "'domain' is no protocol of these results: there is base-to-")
    refused(cli("results", "r", "--seeds", "4", "--method", "bmip"), "no row is of bmip with seed 4")


def test_exports(cli: Cli) -> None:
    stored("r", WHOLE)
    for name in ("csv", "parquet", "latex", "json"):
        done = cli("results", "r", "--method", "bmip", "--to", name, "--out", f"new/{name}")
        assert (done.status, done.out) == (0, "")
        assert f"6 rows written to new/{name}" in done.err
    with Path("new/csv").open(newline="") as file:
        assert [line["data_seed"] for line in csv.DictReader(file)] == ["1", "2", "3"] * 2
    assert [Row.from_json(one) for one in json.loads(Path("new/json").read_text())] == [*ROWS[3:6], *ROWS[9:]]
    assert r"\toprule" in Path("new/latex").read_text()


def test_a_file_of_results_is_not_overwritten(cli: Cli) -> None:
    before = Path(stored("r")).read_bytes()
    refused(cli("results", "r", "--to", "json", "--out", "./r"), "--out r would replace a file of results that is read")
    assert Path("r").read_bytes() == before


def test_half_of_an_export_is_refused(cli: Cli) -> None:
    stored("r")
    refused(cli("results", "r", "--to", "cvs", "--out", "x"), "--to is 'cvs': did you mean 'csv'?")
    refused(cli("results", "r", "--to", "csv"), "--to csv needs a file to write: add --out FILE")
    refused(cli("results", "r", "--out", "x"), "--out x needs a format: add --to csv or parquet or latex or json")


def test_merging_twice_gives_the_same_bytes(cli: Cli) -> None:
    again = replace(ROWS[2], training_seconds=99.0)
    stored("a", ROWS[:5]), stored("b", [*ROWS[5:], again])
    done = cli("results", "merge", "a", "b", "--out", "new/whole")
    assert (done.status, done.out) == (0, "") and "12 rows of 2 files written to new/whole" in done.err
    content = Path("new/whole").read_bytes()
    assert Results("new/whole").rows() == ROWS
    for shards in (("a", "b"), ("new/whole", "a", "b"), ("new/whole",)):
        assert cli("results", "merge", *shards, "--out", "new/whole").status == 0
        assert Path("new/whole").read_bytes() == content
    assert cli("report", "new/whole").out == cli("report", "a", "b").out


def test_a_merge_that_would_lose_or_mix_results_writes_nothing(cli: Cli) -> None:
    stored("a", ROWS[:5]), stored("b", [replace(ROWS[4], counts={"base": Count(1, 2)})])
    refused(cli("results", "merge", "a", "b", "--out", "c"), "a and b have different results of base-to-novel, x bmip")
    assert not Path("c").exists()
    before = Path(stored("c", ROWS[4:6])).read_bytes()
    refused(cli("results", "merge", "a", "--out", "c"), "c holds a result of base-to-novel, x bmip", "would be lost")
    refused(cli("results", "merge", "a", "--out", "."), "is a folder")
    assert Path("c").read_bytes() == before


def test_a_torn_line_of_a_shard_is_told(cli: Cli) -> None:
    stored("a", ROWS[:2])
    with Path("a").open("a") as file:
        file.write('{"trial"')
    assert "the last line of a was cut off" in cli("results", "merge", "a", "--out", "b").err
    assert Results("b").rows() == ROWS[:2]


def test_what_is_not_there(cli: Cli) -> None:
    refused(cli("results", "absent.jsonl"), "absent.jsonl does not exist")
    refused(cli("results", "merge", "absent.jsonl", "--out", "x"), "absent.jsonl does not exist")
    Path("empty").touch()
    refused(cli("results", "empty"), "empty holds no results")
    refused(cli("results"), "FILE")


def test_help_has_an_example_and_names_merge(cli: Cli) -> None:
    told = " ".join(cli("results", "--help").out.split())
    assert "Example: bmip results" in told and "bmip results merge SHARD" in told
    assert "presets" in told and "merge" in told
    assert "Example: bmip results list" in " ".join(cli("results", "list", "--help").out.split())
    assert "Example: bmip results merge" in " ".join(cli("results", "merge", "--help").out.split())


def test_a_data_set_that_looks_like_markup(cli: Cli) -> None:
    row = replace(ROWS[0], trial=replaced(ROWS[0].trial, data="[/b]数"))
    assert "[/b]数" in cli("results", stored("r", [row])).out
