"""Studies end to end: the command, what it keeps, and what it does when it is killed."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from bmip.experiments.failures import Failure
from bmip.experiments.results import Results, Row
from bmip.experiments.trial import Trial
from bmip.report import select
from bmip.studies.expand import expand
from bmip.studies.folder import Shard, StudyFolder
from bmip.studies.plan import read_plan
from bmip.studies.study import Choice, chosen_trials, state_of
from tests.cli.conftest import Cli, backbone, cache, cli, drawn_photos, here, photos

__all__ = ["backbone", "cache", "cli", "drawn_photos", "here", "photos"]

PLAN = """
[study]
name = "photos"

[defaults]
data = "{photos}"
backbone = "{backbone}"
seeds = [1, 2]
shots = 2
training = {{ epochs = 2, batch = 4 }}

[[compare]]
protocols = ["base-to-novel", "open-world"]
methods = ["zero-shot", {{ method = "maple", options = {{ depth = 2 }}, label = "shallow" }}]
"""
TRIALS = 8


@pytest.fixture
def plan(here: Path, photos: Path, backbone: Path) -> Path:
    (here / "plan.toml").write_text(PLAN.format(photos=photos, backbone=backbone))
    return here / "plan.toml"


def judged(results: Path) -> dict[str, tuple]:
    rows = Results(results).rows()
    found = {json.dumps(row.trial.to_json()): (row.counts, row.scores) for row in rows}
    assert len(found) == len(results.read_text().splitlines()), "each trial has one row"
    return found


def test_a_study_from_plan_to_status(cli: Cli, plan: Path, here: Path) -> None:
    dry = cli("study", str(plan), "--dry-run")
    assert dry.status == 0
    assert f"{TRIALS} trials: 0 done, {TRIALS} missing in 3 tasks" in dry.out
    assert dry.out.count("[shallow]") == 2
    assert f"{TRIALS // 2} trials" in cli("study", str(plan), "--dry-run", "--only", "shallow").out
    assert not (here / "runs").exists()
    part = cli("study", str(plan), "--limit", "1")
    assert part.status == 0 and f"done 1, failed 0, missing {TRIALS - 1} of {TRIALS}" in part.err
    dry = cli("study", str(plan), "--dry-run").out
    assert re.search(r"photos zero-shot, .* 1 of 4 +unknown ", dry)
    assert f"{TRIALS} trials: 1 done, {TRIALS - 1} missing in 3 tasks" in dry
    begun = cli("study", str(plan), "--status")
    assert "done 1, failed 0, missing 7" in begun.out and begun.status == 1
    whole = cli("study", str(plan))
    assert whole.status == 0
    assert "Base to novel" in whole.out and "Open world" in whole.out
    assert whole.out.count(" shallow ") == 2 and "maple" not in whole.out
    folder = here / "runs" / "studies" / "plan"
    assert (folder / "plan.toml").read_text() == plan.read_text()
    assert len(judged(folder / "results.jsonl")) == TRIALS
    assert len(list((folder / "runs").glob("*/maple-*/prompts.safetensors"))) == 2, "one training serves both protocols"
    again = cli("study", str(folder))
    assert "trials that are done already: 8 of 8" in again.err
    status = cli("study", str(folder), "--status")
    assert re.search(r"open-world +shallow +2 +0 +0", status.out)
    assert "done 8, failed 0, missing 0" in status.out and status.status == 0
    dry = cli("study", str(plan), "--dry-run").out
    assert "8 done, 0 missing in 0 tasks" in dry
    assert len(re.findall(r"photos maple, .* 2 of 2 +$", dry, re.MULTILINE)) == 2, "nothing is left"
    assert f"its page: bmip report {folder.relative_to(here)} --html" in whole.err
    assert cli("report", folder).out.count("shallow") == cli("report", folder / "results.jsonl").out.count("maple") > 0
    assert len(cli("results", folder).out.splitlines()) == len(
        cli("results", folder / "results.jsonl").out.splitlines()
    )


def test_a_dry_run_begins_with_what_is_left(cli: Cli, plan: Path) -> None:
    assert cli("study", str(plan), "--only", "zero-shot").status == 0
    found = cli("study", str(plan), "--dry-run").out
    assert re.findall(r"photos (\S+), .* (\d of \d)", found) == [("maple", "0 of 2")] * 2 + [("zero-shot", "4 of 4")]


def test_a_label_is_the_plan_s_and_may_change(cli: Cli, plan: Path, here: Path) -> None:
    """The rows hold none: giving another one makes nothing again."""
    cli("study", str(plan), "--only", "base-to-novel")
    folder = StudyFolder(here / "runs/studies/plan")
    before = folder.results().path.read_bytes()
    assert {row.label for row in folder.stored()} == {""}
    assert {(row.trial.run.method, row.label) for row in folder.rows()} == {("zero_shot", ""), ("maple", "shallow")}
    plan.write_text(plan.read_text().replace("shallow", "two layers"))
    again = cli("study", str(plan), "--only", "base-to-novel")
    assert " two layers " in again.out and "shallow" not in again.out
    assert folder.results().path.read_bytes() == before
    assert [row.trial.run.method for row in select(folder.rows(), methods=["two layers"])] == ["maple"] * 2


def test_labels_stand_in_all_that_is_made_of_the_folder(cli: Cli, plan: Path, here: Path) -> None:
    cli("study", str(plan), "--only", "base-to-novel")
    folder = "runs/studies/plan"
    told = cli("report", folder, "--markdown", "--method", "shallow")
    assert "| shallow |" in told.out and "zero-shot |" not in told.out
    assert " shallow " in cli("results", folder).out
    for file in (folder, "merged.jsonl"):
        for format in ("csv", "latex", "json"):
            assert cli("results", file, "--to", format, "--out", f"rows.{format}").status == 0
        assert "shallow & " in (here / "rows.latex").read_text()
        with (here / "rows.csv").open() as lines:
            assert {line["method"]: line["label"] for line in csv.DictReader(lines)} == {
                "zero_shot": "",
                "maple": "shallow",
            }
        assert {row.get("label") for row in json.loads((here / "rows.json").read_text())} == {None, "shallow"}
        cli("results", "merge", folder, "--out", "merged.jsonl")


def test_a_plan_that_no_longer_fits_says_so(cli: Cli, plan: Path, here: Path) -> None:
    cli("study", str(plan), "--only", "zero-shot", "base-to-novel")
    plan.write_text(plan.read_text().replace('"zero-shot", ', ""))
    found = cli("study", str(plan))
    assert found.status == 2
    assert "holds 2 of 2 rows of another plan, such as base-to-novel" in found.err
    assert "--accept-plan" in found.err
    (told,) = re.findall(r"runs/studies/plan holds .*", found.err)
    for way, exit_status in (("--dry-run", 0), ("--status", 1)):
        early = cli("study", str(plan), way)
        assert told in early.err and early.status == exit_status
        assert told not in cli("study", str(plan), way, "--accept-plan").err
    assert cli("study", str(plan), "--accept-plan", "--only", "seeds 1/1").status == 0
    assert len(judged(here / "runs/studies/plan/results.jsonl")) == 4


def test_failures_are_kept_and_tried_again_only_when_asked(cli: Cli, plan: Path, here: Path) -> None:
    wild = plan.read_text().replace("epochs = 2", "epochs = 2, lr = 1e30, warmup_lr = 1e30")
    plan.write_text(wild)
    found = cli("study", str(plan))
    assert found.status == 1
    assert "failed 4" in found.err and "not finite" in found.err
    assert len(re.findall(r"^\[\d/8\] .* maple, .* \[shallow\]: failed", found.err, re.MULTILINE)) == 4
    folder = StudyFolder(here / "runs/studies/plan")
    assert {failure.kind for failure in folder.failures().values()} == {"diverged"}
    before = (folder.path / "failures.jsonl").read_text()
    again = cli("study", str(plan))
    assert again.status == 1, "what failed before has no row yet"
    assert len(re.findall(r"^Failed: .* maple, 2 shots, seeds ./. \[shallow\]: ", again.err, re.MULTILINE)) == 4
    assert (folder.path / "failures.jsonl").read_text() == before, "nothing was tried that failed"
    assert cli("study", str(plan), "--only", "zero-shot").status == 0, "what failed was not asked for"
    assert cli("study", str(plan), "--limit", "1").status == 1, "a limit changes nothing about what is asked for"
    assert cli("study", str(plan), "--dry-run").status == 0
    nothing = cli("study", str(plan), "--only", "maple")
    assert nothing.status == 1
    assert "there is nothing to do: what was asked for failed before (--retry-failed" in nothing.err
    assert cli("study", str(plan), "--retry-failed", "--limit", "1").status == 1
    assert (folder.path / "failures.jsonl").read_text() != before
    status = cli("study", str(plan), "--status")
    assert "failed 4" in status.out and status.status == 1
    part = cli("study", str(plan), "--status", "--only", "zero-shot")
    assert "done 4, failed 0, missing 0" in part.out and part.status == 0


def test_shards_are_whole_tasks_that_together_are_the_study(cli: Cli, plan: Path, here: Path) -> None:
    folder = StudyFolder(here / "runs/studies/plan")
    planned = expand(read_plan(plan))
    parts = [chosen_trials(state_of(folder, planned), Choice(shard=Shard(number, 2))) for number in (1, 2)]
    assert sorted(map(str, [*parts[0], *parts[1]])) == sorted(str(one.trial) for one in planned)
    runs = [{trial.run for trial in part if trial.run.method == "maple"} for part in parts]
    assert not runs[0] & runs[1]
    for number in (1, 2):
        assert cli("study", str(plan), "--shard", f"{number}/2").status == 0
    assert not (folder.path / "results.jsonl").exists()
    assert len(folder.rows()) == TRIALS
    assert "done 8, failed 0, missing 0" in cli("study", str(plan), "--status").out
    assert cli("study", str(plan), "--shard", "3/2").status == 2
    empty = cli("study", str(plan), "--shard", "9/9")
    assert empty.status == 0 and "there is nothing to do: the shard has no trials" in empty.err
    whole = cli("study", str(plan))
    assert whole.status == 0 and "Open world" in whole.out
    assert not (folder.path / "results.jsonl").exists(), "what shards have made is not made again"


@pytest.mark.parametrize("last", ["it died", "too little"])
def test_failures_of_shards_count_until_there_is_a_row(
    plan: Path, here: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    folder, planned = StudyFolder(here / "study"), expand(read_plan(plan))
    folder.begin(read_plan(plan), planned)
    trial = planned[0].trial
    for failure, shard in (
        (Failure("crash", "it died", "where"), Shard(2, 3)),
        (Failure("memory", "too little"), None),
    ):
        month = 11 if failure.cause == last else 1
        monkeypatch.setattr("bmip.studies.folder.utc_now", lambda month=month: f"2026-{month:02}-01T00:00:00+00:00")
        folder.add_failure(trial, failure, shard)
    assert folder.failures()[trial].cause == last, "the last one, whichever file it is in"
    assert folder.planned() == ("photos", planned)


def two_data_sets(plan: Path, first: str) -> None:
    """Makes a plan of two trials on `first` and two on the digits."""
    plan.write_text(
        '[study]\nname = "two"\n[[compare]]\nprotocols = ["base-to-novel", "open-world"]\nmethods = ["zero-shot"]\n'
        f'data = ["{first}", "digits"]\nbackbone = "embedded"\nseeds = [1]\n'
    )


def test_a_torn_image_costs_the_trials_of_its_data_set_alone(cli: Cli, plan: Path, here: Path, photos: Path) -> None:
    two_data_sets(plan, "photos")
    torn, folder = photos / "red" / "03.png", StudyFolder(here / "runs/studies/plan")
    whole = torn.read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    found = cli("study", str(plan))
    assert found.status == 1 and "done 2, failed 2, missing 0 of 4" in found.err
    assert len(re.findall(r"^\[\d/4\] .*photos .*: failed \(.*03.png", found.err, re.MULTILINE)) == 2
    assert {row.trial.place for row in folder.stored()} == {"digits"} and "digits" in found.out
    failures = folder.failures()
    assert len(failures) == 2 and {trial.place for trial in failures} == {"photos"}
    assert {failure.kind for failure in failures.values()} == {"data"}
    assert all("in a plan skip_bad_images = true" in failure.cause for failure in failures.values())
    again = cli("study", str(plan))
    assert again.status == 1 and len(re.findall("^Failed: ", again.err, re.MULTILINE)) == 2
    torn.write_bytes(whole)
    assert cli("study", str(plan), "--retry-failed").status == 0
    assert "done 4, failed 0, missing 0" in cli("study", str(plan), "--status").out
    rows = judged(folder.path / "results.jsonl")
    torn.write_bytes(whole[: len(whole) // 2])
    later = cli("study", str(plan))
    assert later.status == 0 and later.err.count("The rows that are stored of these data stay as they are") == 1
    assert judged(folder.path / "results.jsonl") == rows and folder.failures() == {}
    assert "photos" in later.out


def test_a_data_set_that_is_not_there_costs_its_trials_alone(cli: Cli, plan: Path, here: Path) -> None:
    two_data_sets(plan, "dtd")
    found = cli("study", str(plan), "--only", "base-to-novel")
    assert found.status == 1 and "done 1, failed 1, missing 2" in found.err
    assert re.search("^Failed: .*dtd is read from files: give .* in a plan root = ", found.err, re.MULTILINE)
    alone = cli("study", str(plan), "--only", "dtd", "--out", "alone")
    assert alone.status == 1 and "done 0, failed 2, missing 2" in alone.err and alone.out == ""


def test_a_failure_that_was_cut_off_by_a_crash_does_not_count(cli: Cli, plan: Path, here: Path) -> None:
    folder, planned = StudyFolder(here / "runs/studies/plan"), expand(read_plan(plan))
    failure = Failure("crash", "it died", "where")
    for one in planned[:2]:
        folder.add_failure(one.trial, failure)
    file = folder.path / "failures.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    assert folder.failures() == {planned[0].trial: failure}
    assert f"done 0, failed 1, missing {TRIALS - 1}" in cli("study", str(plan), "--status").out
    assert cli("study", str(plan), "--dry-run").status == 0
    folder.add_failure(planned[1].trial, failure)
    assert len(file.read_bytes().splitlines()) == 2
    assert folder.failures() == {one.trial: failure for one in planned[:2]}
    file.write_bytes(b"{}\n" + whole)
    with pytest.raises(ValueError, match=r"failures.jsonl, line 1 cannot be read \('trial'\): delete it"):
        folder.failures()


def test_a_line_of_results_is_read_once_in_a_command(
    cli: Cli, plan: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that the command makes are read once too, and shards are files like others."""
    read: list[Trial] = []

    def counting(content: dict) -> Row:
        read.append(Trial.from_json(content["trial"]))
        return from_json(content)

    from_json = Row.from_json
    monkeypatch.setattr(Row, "from_json", counting)
    assert cli("study", str(plan), "--shard", "1/2", "--only", "zero-shot").status == 0
    for way in ((), (), ("--status",), ("--dry-run",), ("--retry-failed",)):
        read.clear()
        assert cli("study", str(plan), *way).status == 0
        assert len(read) == len(set(read)) == TRIALS, way
    read.clear()
    assert cli("report", "runs/studies/plan").status == 0
    assert len(read) == TRIALS


def test_a_tracker_that_fails_is_named_once_and_costs_no_row(cli: Cli, plan: Path, here: Path) -> None:
    pytest.importorskip("tensorboard")
    plan.write_text(plan.read_text().replace("[defaults]", 'trackers = ["tensorboard"]\n\n[defaults]'))
    folder = here / "runs/studies/plan"
    folder.mkdir(parents=True)
    (folder / "tensorboard").write_text("no folder")
    found = cli("study", str(plan), "--only", "zero-shot")
    assert found.status == 0 and len(judged(folder / "results.jsonl")) == TRIALS // 2
    assert len(re.findall(r"TensorBoard did not take .*: the study goes on", found.err)) == 1, found.err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_driver_that_is_killed_loses_nothing(cli: Cli, plan: Path, here: Path, workers: str) -> None:
    assert cli("study", str(plan), "--out", "whole").status == 0
    command = [sys.executable, "-m", "bmip", "study", str(plan), "--out", "cut", "--workers", workers]
    with subprocess.Popen(command, cwd=here, stderr=subprocess.PIPE, text=True, start_new_session=True) as driver:
        assert driver.stderr is not None
        for line in driver.stderr:
            if line.startswith("[2/"):
                break
        os.kill(driver.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while _workers_of(here) and time.monotonic() < deadline:  # they end when the driver's pipe does
        time.sleep(0.1)
    kept = len((here / "cut/results.jsonl").read_text().splitlines())
    assert 0 < kept < TRIALS
    assert cli("study", str(plan), "--out", "cut", "--workers", workers).status == 0
    assert judged(here / "cut/results.jsonl") == judged(here / "whole/results.jsonl")


def _workers_of(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"spawn_main" in (process / "cmdline").read_bytes() and (process / "cwd").resolve() == folder.resolve():
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_search_is_a_plan(cli: Cli, plan: Path, photos: Path, backbone: Path, here: Path) -> None:
    tried = PLAN.replace("epochs = 2,", "lr = [0.01, 0.1], epochs = [1, 2],").replace(
        'protocols = ["base-to-novel", "open-world"]\nmethods = ["zero-shot", ',
        'protocols = ["validation"]\nmethods = [',
    )
    plan.write_text(tried.format(photos=photos, backbone=backbone).replace(', label = "shallow"', ""))
    assert cli("study", str(plan), "--out", "search").status == 0
    chosen = cli("results", "presets", "search", "--out", "chosen/presets.toml")
    assert chosen.status == 0 and "settings of 1 method written to chosen/presets.toml" in chosen.err
    source = tomllib.loads((here / "chosen/presets.toml").read_text())["maple"]["source"]
    assert "best of 4 settings" in source and "epochs 1, 2; lr 0.01, 0.1; " in source and "seeds 1, 2" in source
    plan.write_text(PLAN.format(photos=photos, backbone=backbone))
    assert cli("study", str(plan), "--out", "judged", "--limit", "1").status == 0
    nothing = cli("results", "presets", "judged", "--out", "presets.toml")
    assert nothing.status == 2 and 'give a study with the protocol "validation"' in nothing.err


def test_what_cannot_be_done_is_said(cli: Cli, plan: Path, here: Path) -> None:
    (here / "empty").mkdir()
    assert "holds no plan.toml" in cli("study", "empty").err
    assert "does not exist" in cli("study", "nowhere.toml").err


@pytest.mark.parametrize("way", [(), ("--dry-run",), ("--shard", "1/2")])
def test_what_fits_no_trial_is_named_with_what_there_is(cli: Cli, plan: Path, here: Path, way: tuple[str, ...]) -> None:
    found = cli("study", str(plan), *way, "--only", "base-to-novel", "nothing")
    assert found.status == 2 and found.out == ""
    assert (
        "no trial of the plan has 'nothing' in its line. There are the protocols base-to-novel, open-world" in found.err
    )
    assert "the methods zero-shot, shallow; a line is 'base-to-novel: " in found.err
    together = cli("study", str(plan), *way, "--only", "zero-shot", "shallow")
    assert together.status == 2
    assert "no trial of the plan has 'zero-shot' and 'shallow' at once" in together.err


def test_a_cluster_that_is_not_there_is_named_before_any_work(cli: Cli, plan: Path, here: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    found = cli("study", str(plan), "--ray", "127.0.0.1:9")
    assert found.status == 2
    assert "Error: no Ray cluster answers at 127.0.0.1:9" in found.err
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--ray local --workers 2", "--ray and --workers or --devices exclude each other"),
        ("--ray local --devices cpu", "--ray and --workers or --devices exclude each other"),
        ("--ray-cpus 1", "--ray-cpus is for tasks on a Ray cluster: name the cluster (--ray)"),
        ("--ray-gpus 0.5 --workers 2", "--ray-gpus is for tasks on a Ray cluster"),
        ("--ray-memory 4", "--ray-memory is for tasks on a Ray cluster"),
        ("--devices cpu cpu", "--devices names 2 devices for 1 worker: give as many --workers"),
        ("--ray local --ray-cpus -1", "--ray-cpus"),
    ],
)
def test_an_option_without_effect_is_refused(cli: Cli, plan: Path, here: Path, options: str, told: str) -> None:
    found = cli("study", str(plan), *options.split())
    assert found.status == 2
    assert told in found.err
    assert not (here / "runs").exists()


def test_a_limit_looks_at_no_data_beyond_it(cli: Cli, here: Path, photos: Path, backbone: Path) -> None:
    """Trials whose data are not there yet have not failed."""
    text = PLAN.format(photos=photos, backbone=backbone)
    (here / "plan.toml").write_text(text.replace(f'data = "{photos}"', f'data = ["{photos}", "./later"]'))
    (here / "later").mkdir()
    found = cli("study", "plan.toml", "--limit", "2")
    assert found.status == 0, found.err
    assert "done 2, failed 0" in found.err
