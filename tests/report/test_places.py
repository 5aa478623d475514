"""Rows on several splits of a data set are kept apart, and can be asked for."""

from dataclasses import replace

import pytest

from bmip.report import against_tables, select, tables
from bmip.report.places import Place, placed
from tests.experiments.making import replaced
from tests.report.test_tables import ROWS, judged

OLD, NEW = "0123456789", "abcdef0123"
X = [one for one in ROWS if one.trial.run.data == "x"]
MIXED = [
    *(replace(one, split=OLD) for one in X),
    *(replace(one, split=NEW) for one in X if one.trial.run.data_seed == 1),
]


def test_rows_on_an_older_split_have_a_table_of_their_own() -> None:
    latest, older = tables(MIXED)
    assert [line[:3] for line in latest.rows] == [("x", "zero-shot", "50.0"), ("", "bmip", "80.0")]
    assert [line[:3] for line in older.rows] == [("x (01234567)", "zero-shot", "50.0"), ("", "bmip", "85.0 ± 12.4")]
    assert "behind a data set: the first letters of the hash of its images" in older.caption
    assert "behind a data set" not in latest.caption
    assert tables(select(MIXED)) == [latest, older]
    (whole, _) = tables([*MIXED, *(one for one in ROWS if one.trial.run.data == "y")])
    assert [line[0] for line in whole.rows] == ["x", "", "y", "", "average", "", "mean of HMs", ""]


def test_the_last_row_says_which_version_is_the_latest() -> None:
    assert {one.evaluated_on for one in placed(ROWS)} == {Place("x"), Place("y")}
    found = placed(MIXED)
    assert [one.row for one in found] == MIXED
    assert [one.evaluated_on.older for one in found] == [OLD[:8] if row.split == OLD else "" for row in MIXED]
    assert [one.is_older for one in found] == [row.split == OLD for row in MIXED]


def test_the_latest_version_is_that_of_the_row_made_last_in_whatever_order_the_files_are() -> None:
    rows = [
        replace(X[0], split=OLD, time="2026-01-31T10:00:00+00:00"),
        replace(X[1], split=NEW, time="2026-11-01T10:00:00+00:00"),
    ]
    for given in (rows, rows[::-1]):
        assert [one.evaluated_on.older for one in placed(given)] == ["" if row is rows[1] else OLD[:8] for row in given]


def test_a_name_in_brackets_is_no_older_version() -> None:
    (table,) = tables([replace(one, trial=replaced(one.trial, data=f"x ({OLD[:8]})"), split=OLD) for one in X])
    assert table.rows[0][0] == "x (01234567)" and "behind a data set" not in table.caption


def test_a_source_with_two_splits_is_two_sources() -> None:
    rows = [
        replace(judged("cross-dataset", "bmip", 1, {"all": 50}, data="z", target=one), split=source, target_split=split)
        for source in (OLD, NEW)
        for one, split in (("", ""), ("a", "t"))
    ]
    found = tables(rows)
    titles = {table.title.partition(",")[0]: table for table in found}
    assert set(titles) == {"Cross-dataset from z (01234567)", "Cross-dataset from z"}
    older = titles["Cross-dataset from z (01234567)"]
    assert [line[0] for line in older.rows] == ["z (01234567) (source)", "a"]


def test_pairs_are_of_one_split() -> None:
    found, _ = against_tables(MIXED, "zero-shot")
    assert [(table.rows[0][0], table.rows[0][-1]) for table in found] == [("x", "1"), ("x (01234567)", "3")]


def test_some_data_sets_and_methods_with_all_their_seeds() -> None:
    assert select(ROWS) == ROWS
    assert select(ROWS, ["y"], ["zero_shot"]) == ROWS[6:9]
    assert select(ROWS, ["y", "x"], ["zero-shot", "bmip"]) == ROWS
    released = replace(ROWS[3], trial=replaced(ROWS[3].trial, preset="released"))
    assert select([*ROWS, released], [], ["bmip:released"]) == [released]
    assert len(select([*ROWS, released], [], ["bmip"])) == 7
    assert len(select(MIXED, ["x"])) == len(MIXED)
    assert {one.split for one in select(MIXED, ["x (01234567)"])} == {OLD}
    targets = [judged("cross-dataset", "bmip", 1, {"all": 50}, data="z", target=target) for target in ("", "a", "b")]
    assert select(targets, ["a"]) == targets[1:2]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'z' is no data set of these results: there is x, y"):
        select(ROWS, ["z"])
    with pytest.raises(ValueError, match="'coop' is no method of these results: there is bmip, zero-shot"):
        select(ROWS, [], ["coop"])
    with pytest.raises(ValueError, match="no row is of bmip on y"):
        select([*ROWS[:3], *ROWS[3:6], *ROWS[6:9]], ["y"], ["bmip"])
