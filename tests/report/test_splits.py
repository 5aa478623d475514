"""Rows on several splits of a data set are kept apart, and can be asked for."""

from dataclasses import replace

import pytest

from bmip.report import against_tables, select, tables
from bmip.report.splits import told_apart
from tests.report.test_tables import ROWS, judged

OLD, NEW = "0123456789", "abcdef0123"
X = [one for one in ROWS if one.trial.data == "x"]
MIXED = [*(replace(one, split=OLD) for one in X), *(replace(one, split=NEW) for one in X if one.trial.data_seed == 1)]


def test_a_data_set_with_two_splits_is_two_data_sets() -> None:
    (table,) = tables(MIXED)
    assert [line[:3] for line in table.rows[:4]] == [
        ("x (01234567)", "zero-shot", "50.0"),
        ("", "bmip", "85.0 ± 12.4"),
        ("x (abcdef01)", "zero-shot", "50.0"),
        ("", "bmip", "80.0"),
    ]
    assert "how the hash of its images and splits begins" in table.caption
    (table,) = tables(X)
    assert table.rows[0][0] == "x" and "hash" not in table.caption


def test_names_stay_where_there_is_one_split_of_each() -> None:
    assert told_apart(ROWS) == ROWS
    assert told_apart(told_apart(MIXED)) == told_apart(MIXED)


def test_a_source_with_two_splits_is_two_sources() -> None:
    rows = [
        replace(judged("cross-dataset", "bmip", 1, {"all": 50}, data="z", target=target), split=split)
        for source in (OLD, NEW)
        for target, split in (("", source), ("a", f"{source}+t"))
    ]
    found = tables(rows)
    assert ["from z (01234567)" in found[0].title, "from z (abcdef01)" in found[1].title] == [True, True]
    assert [line[0] for line in found[0].rows] == ["z (01234567) (source)", "a"]


def test_pairs_are_of_one_split() -> None:
    (table,), _ = against_tables(MIXED, "zero-shot")
    assert [(line[0], line[-1]) for line in table.rows[:2]] == [("x (01234567)", "3"), ("x (abcdef01)", "1")]


def test_some_data_sets_and_methods_with_all_their_seeds() -> None:
    assert select(ROWS) == ROWS
    assert select(ROWS, ["y"], ["zero_shot"]) == ROWS[6:9]
    assert select(ROWS, ["y", "x"], ["zero-shot", "bmip"]) == ROWS
    assert len(select(MIXED, ["x"])) == len(MIXED)
    assert {one.split for one in select(MIXED, ["x (abcdef01)"])} == {NEW}
    targets = [judged("cross-dataset", "bmip", 1, {"all": 50}, data="z", target=target) for target in ("", "a", "b")]
    assert select(targets, ["a"]) == targets[1:2]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'z' is no data set of these results: there is x, y"):
        select(ROWS, ["z"])
    with pytest.raises(ValueError, match="'coop' is no method of these results: there is bmip, zero-shot"):
        select(ROWS, [], ["coop"])
    with pytest.raises(ValueError, match="no row is of bmip on y"):
        select([*ROWS[:3], *ROWS[3:6], *ROWS[6:9]], ["y"], ["bmip"])
