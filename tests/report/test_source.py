"""Where a report's rows come from."""

from dataclasses import replace
from pathlib import Path

import pytest

from bmip.experiments.failures import Failure
from bmip.experiments.results import Results
from bmip.report.source import Source, read_source
from bmip.studies.expand import Planned
from tests.experiments.making import replaced
from tests.report.test_tables import ROWS


def stored(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    for row in ROWS:
        Results(file).append(row)
    return file


def test_files_are_named_after_their_folders(tmp_path: Path) -> None:
    files = [stored(tmp_path / "one" / "results.jsonl"), stored(tmp_path / "two.jsonl")]
    source = read_source(files)
    assert source.name == "one, two"
    assert list(source.rows) == ROWS
    assert tmp_path / "one" in source.runs and tmp_path in source.runs
    assert read_source(files, tmp_path / "elsewhere").runs == (tmp_path / "elsewhere",)


def test_a_folder_must_be_that_of_a_study(tmp_path: Path) -> None:
    file = stored(tmp_path / "one" / "results.jsonl")
    with pytest.raises(ValueError, match=r"is a folder: name the file of results in it, .* or the folder of a study"):
        read_source([tmp_path / "one"])
    (tmp_path / "one" / "plan.json").write_text("{}")
    with pytest.raises(ValueError, match="is the folder of a study: name it alone"):
        read_source([file, tmp_path / "one"])


def test_part_of_a_source() -> None:
    other = replaced(ROWS[0].trial, method="coop")
    failures = {replaced(other, data=data): Failure("time", "too long") for data in ("x", "y")}
    planned = (*(Planned(row.trial) for row in ROWS), *(Planned(trial, "slow") for trial in failures))
    source = Source("s", [*ROWS, replace(ROWS[0], trial=other, label="slow")], planned=planned, failures=failures)
    found = source.only(["x"], ["bmip"])
    assert [row.trial for row in found.rows] == [one.trial for one in found.planned]
    assert {(one.trial.run.data, one.trial.run.method) for one in found.planned} == {("x", "bmip")}
    assert not found.failures
    found = source.only(["x"], ["slow"])
    assert [trial.run.data for trial in found.failures] == ["x"] and len(found.rows) == len(found.planned) == 1
    assert source.only([], []) == source
    assert source.only(["x"], ["zero_shot"]) == source.only(["x"], ["zero-shot"])
    failed = Source("s", ROWS, planned=planned, failures={replaced(ROWS[0].trial, data_seed=9): Failure("time", "")})
    assert source.only([], ["zero_shot"]).planned and failed.only([], ["zero_shot"]).failures == failed.failures
