import json
from dataclasses import replace
from pathlib import Path

import pytest

from bmip.protocols.trial import Trial
from bmip.results import Count, Results, Row

ROW = Row(
    trial=Trial(method="bmip", data="x", protocol="base-to-novel", options=(("depth", 3),)),
    counts={"base": Count(3, 4), "novel": Count(0, 2)},
    learned=5,
    seconds=1.5,
    backbone="b",
    split="s",
    environment={"torch": "2"},
)
OTHER = replace(ROW, trial=replace(ROW.trial, data_seed=2))


def test_rows_come_back(tmp_path: Path) -> None:
    store = Results(tmp_path / "new" / "results.jsonl")
    store.append(ROW)
    store.append(OTHER)
    assert store.rows() == [ROW, OTHER]
    assert store.rows()[0].counts["base"].percent == 75
    assert len(store.path.read_text().splitlines()) == 2


def test_of_equal_trials_the_last_counts(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    again = replace(ROW, counts={"base": Count(4, 4)})
    for row in (ROW, OTHER, again):
        store.append(row)
    assert store.rows() == [OTHER, again]


BEFORE = (
    '{"trial": {"method": "bmip", "protocol": "base-to-novel", "data": "signs", "template": "", "preset": "embedded", '
    '"options": {"depth": 3}, "training": {"lr": 0.01}, "shots": 16, "data_seed": 1, "init_seed": 1, "backbone": '
    '"embedded"}, "counts": {"base": [3, 4], "novel": [0, 2]}, "learned": 5, "seconds": 1.5, "backbone": "b", '
    '"split": "s", "environment": {}, "template": null}'
)


def test_rows_from_before_targets_and_scores_stay_what_they_were(tmp_path: Path) -> None:
    """They are read, equal the trial that is asked for today, train in the same folder and are written alike."""
    (tmp_path / "r").write_text(BEFORE + "\n")
    (row,) = Results(tmp_path / "r").rows()
    asked = {"method": "bmip", "protocol": "base-to-novel", "data": "signs", "preset": "embedded"}
    assert row.trial == Trial(**asked, options=(("depth", 3),), training=(("lr", 0.01),))
    assert row.trial.folder("b", "s") == "base-to-novel/signs/bmip-seeds-1-1-b0d33fbc58"
    assert json.dumps(row.to_json()) == BEFORE
    assert row.scores == {}


def test_targets_and_scores_come_back(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    told = replace(ROW, trial=replace(ROW.trial, target="y"), scores={"auroc": 61.5})
    store.append(told)
    store.append(ROW)
    assert store.rows() == [told, ROW]
    assert told.trial.folder() != ROW.trial.folder()


@pytest.mark.parametrize("cut", [1, 40, -2])
def test_a_torn_last_line_is_replaced(tmp_path: Path, cut: int) -> None:
    store = Results(tmp_path / "r")
    line = json.dumps(ROW.to_json()).encode()
    store.append(OTHER)
    store.path.write_bytes(store.path.read_bytes() + line[:cut])
    assert store.rows() == [OTHER]
    store.append(ROW)
    assert store.rows() == [OTHER, ROW]
    assert len(store.path.read_bytes().splitlines()) == 2


def test_a_last_line_that_only_lacks_its_end_counts(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    store.path.write_text(json.dumps(ROW.to_json()))
    assert store.rows() == [ROW]
    store.append(OTHER)
    assert store.rows() == [ROW, OTHER]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    store.append(ROW)
    store.path.write_bytes(b'{"trial": {}}\n' + store.path.read_bytes())
    with pytest.raises(ValueError, match="r, line 1 is not a result"):
        store.rows()
