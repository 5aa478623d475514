import json
from dataclasses import replace
from pathlib import Path

import pytest

from bmip.experiments.results import Count, Results, Row, read_results
from bmip.run_spec import FORMAT
from tests.experiments.making import a_trial, replaced

ROW = Row(
    trial=a_trial(method="bmip", data="x", protocol="base-to-novel", options=(("depth", 3),)),
    counts={"base": Count(3, 4), "novel": Count(0, 2)},
    trainable=5,
    training_seconds=1.5,
    evaluation_seconds=0.0,
    time="2026-01-02T03:04:05+00:00",
    backbone="b",
    split="s",
    environment={"torch": "2"},
    peak_memory=2**40,
    draw="d",
)
OTHER = replace(ROW, trial=replaced(ROW.trial, data_seed=2))


def test_rows_come_back(tmp_path: Path) -> None:
    store = Results(tmp_path / "new" / "results.jsonl")
    store.append(ROW)
    store.append(OTHER)
    assert store.rows() == [ROW, OTHER]
    assert store.rows()[0].counts["base"].percent == 75
    assert len(store.path.read_text().splitlines()) == 2


def test_a_label_stands_in_a_line_only_where_there_is_one(tmp_path: Path) -> None:
    named, store = replace(OTHER, label="deep"), Results(tmp_path / "r")
    assert "label" not in ROW.to_json() and named.to_json()["label"] == "deep"
    store.append(ROW)
    store.append(named)
    assert store.rows() == [ROW, named]
    assert named.same_result(replace(named, label="", time="")), "neither label nor time is part of a result"


def test_of_equal_trials_the_last_counts(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    again = replace(ROW, counts={"base": Count(4, 4)})
    for row in (ROW, OTHER, again):
        store.append(row)
    assert store.rows() == [OTHER, again]


def test_rows_of_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_text(json.dumps({**ROW.to_json(), "format": 1}) + "\n")
    with pytest.raises(ValueError, match=r"line 1 is not a result.*has format 1, written by another version"):
        Results(tmp_path / "r").rows()


def test_targets_and_scores_come_back(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    told = replace(ROW, trial=replace(ROW.trial, target="y"), scores={"auroc": 61.5})
    store.append(told)
    store.append(ROW)
    assert store.rows() == [told, ROW]


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


def test_rows_on_other_data_or_another_backbone_are_kept(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    others = [ROW, replace(ROW, split="t"), replace(ROW, backbone="c")]
    for row in others:
        store.append(row)
    assert store.rows() == others


def test_what_was_changed_comes_back(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    store.append(replace(ROW, changed=(("epochs", 1),)))
    assert store.rows()[0].changed == (("epochs", 1),)


def test_several_files(tmp_path: Path) -> None:
    for name, rows in (("a", [ROW]), ("b", [OTHER, ROW]), ("c", [replace(ROW, counts={"base": Count(1, 4)})])):
        for row in rows:
            Results(tmp_path / name).append(row)
    assert read_results([tmp_path / "a", tmp_path / "b"]) == [ROW, OTHER]
    with pytest.raises(ValueError, match=r"/a and .*/c have different results of base-to-novel, x bmip, 16 shots"):
        read_results([tmp_path / "a", tmp_path / "c"])


def test_what_was_read_is_not_parsed_again(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    store.append(ROW)
    (first,) = store.rows()
    Results(store.path).append(OTHER)
    again = store.rows()
    assert again == [ROW, OTHER] and again[0] is first
    store.append(replace(ROW, trainable=6))
    assert store.rows() == [OTHER, replace(ROW, trainable=6)]


def test_a_damaged_line_behind_those_read_has_its_number(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    store.append(ROW)
    store.append(OTHER)
    assert store.rows() == [ROW, OTHER]
    with store.path.open("a") as file:
        file.write("5\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="line 3 is not a result"):
            store.rows()
    store.path.write_text("".join(store.path.read_text().splitlines(keepends=True)[:2]))
    assert store.rows() == [ROW, OTHER]


def test_the_same_result_on_another_machine() -> None:
    one = replace(ROW, scores={"auroc": 50.0})
    assert one.same_result(replace(one, training_seconds=9.0, scores={"auroc": 50.001}))
    assert not one.same_result(replace(one, scores={"auroc": 50.1}))
    assert not one.same_result(replace(one, scores={"fpr95": 50.0}))
    assert not one.same_result(replace(one, counts={"base": Count(3, 4)}))


def test_replacing_loses_no_result(tmp_path: Path) -> None:
    store = Results(tmp_path / "new" / "r")
    store.replace([ROW])
    store.replace([OTHER, ROW])
    assert store.rows() == [OTHER, ROW]
    content = store.path.read_bytes()
    for rows in ([ROW], [OTHER, replace(ROW, counts={"base": Count(1, 4)})]):
        with pytest.raises(ValueError, match=r"r holds a result of base-to-novel, x bmip, .* that would be lost"):
            store.replace(rows)
        assert store.path.read_bytes() == content


def test_a_torn_last_line_is_told(tmp_path: Path) -> None:
    store = Results(tmp_path / "r")
    store.append(ROW)
    assert not store.is_cut_off()
    store.path.write_bytes(store.path.read_bytes() + b'{"trial"')
    assert store.is_cut_off()


def damaged(**fields) -> str:
    return json.dumps({**ROW.to_json(), **fields})


def of_run(**fields) -> str:
    return damaged(trial={**ROW.trial.to_json(), "run": {**ROW.trial.run.to_json(), **fields}})


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("5", "the line is 5, an object is needed"),
        (damaged(trial=1), "trial is 1, an object is needed"),
        (damaged(extra=1), "a field 'extra' that this version of bmip does not know"),
        (json.dumps({"format": FORMAT, "trial": {}}), "lacks the field 'protocol'"),
        ('{"trial": {"method": "bmip"}}', "has format None, written by another version"),
        (damaged(trainable="x"), "trainable is 'x', a whole number is needed"),
        (damaged(trainable=True), "trainable is True"),
        (damaged(training_seconds=float("nan")), "training_seconds is nan, a number is needed"),
        (damaged(seconds=1.5), "a field 'seconds' that this version of bmip does not know"),
        (damaged(peak_memory=1.5), "peak_memory is 1.5, a whole number or null is needed"),
        (damaged(draw=None), "draw is None, text is needed"),
        (damaged(backbone=5), "backbone is 5, text is needed"),
        (damaged(template=5), "template is 5, text or null is needed"),
        (damaged(scores={"auroc": None}), "scores.auroc is None, a number is needed"),
        *((damaged(counts={"base": c}), f"counts.base is {c}") for c in (["a", 9], [12, 9], [-1, 9], [0, 0], [1.5, 9])),
        (damaged(counts=[1]), "counts is [1], an object is needed"),
        (damaged(changed=[1]), "changed is [1], an object is needed"),
        (of_run(data_seed="x"), "trial.run.data_seed is 'x', a whole number is needed"),
        (of_run(shots="16"), "trial.run.shots is '16'"),
        (of_run(backbone=5), "trial.run.backbone is 5"),
        (of_run(options=[1]), "trial.run.options is [1], an object is needed"),
        (of_run(options={"depth": None}), "trial.run.options is {'depth': None}"),
        (of_run(base="half"), "trial.run.base is 'half', a number or a list of text is needed"),
        (of_run(later=1), "trial.run has a field 'later'"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, line: str, part: str) -> None:
    file = tmp_path / "r"
    file.write_text(json.dumps(OTHER.to_json()) + "\n" + line + "\n")
    with pytest.raises(ValueError) as caught:
        Results(file).rows()
    assert f"{file}, line 2 is not a result that can be read: " in str(caught.value)
    assert part in str(caught.value)
    assert "Mend it or delete it" in str(caught.value)


def test_a_folder_is_no_file_of_results(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a folder: name the file of results in it"):
        Results(tmp_path).rows()
