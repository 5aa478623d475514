"""The plans that come with bmip, and the one of the page on studies, say what they should, without data and weights."""

import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from bmip.data.read_config import ReadConfig
from bmip.studies.plan import Comparison, Plan, PlannedMethod
from tests.cli.conftest import Cli, cache, cli, here

__all__ = ["cache", "cli", "here"]

ROOT = Path(__file__).parents[2]
PLANS = sorted((ROOT / "plans").glob("*.toml"))
COUNTS = {
    "ablations": 23 * 4 * 5,
    "base_to_novel": 7 * 11 * 3,
    "open_world": 7 * 11 * 3,
    "few_shot": 5 * 11 * 3 * 5,
    "cross_dataset": 7 * 3 * (1 + 10),
    "domain": 7 * 3 * (1 + 4),
    "fidelity": 4 * 4 * 3,
    "embedded_search": (24 * (4 + 2) + 7 + 2 + 2) * 4 * 3,
    "embedded": 13 * 12 * 3 * 5 + 13 * 5 * (1 + 11 + 1 + 5) + 12 * 4 * 3 * 5 + 16 * 4 * 3 * 5,
}


def test_each_plan_is_counted() -> None:
    assert {plan.stem for plan in PLANS} == COUNTS.keys()


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.stem)
def test_a_dry_run_lists_the_trials(cli: Cli, here: Path, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(here))
    found = cli("study", str(plan), "--dry-run")
    assert found.status == 0, found.err
    count = COUNTS[plan.stem]
    assert f"{count} trials: 0 done, {count} missing" in found.out
    assert sum(map(int, re.findall(r" 0 of (\d+) ", found.out))) == count, "a file or a pipe gets every task"
    assert not list(here.glob("runs/**/*.jsonl"))


def test_a_dry_run_names_all_that_a_task_is(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(here))
    few_shot = cli("study", str(ROOT / "plans/few_shot.toml"), "--dry-run").out
    untrained = "zero-shot, 1 shot, 2 shots, 4 shots, 8 shots, 16 shots, seeds 1/1, 2/2, 3/3 (few-shot) "
    assert f"imagenet {untrained}" in few_shot
    assert re.search(r"imagenet coop, 2 shots, seeds 3/3 \(few-shot\) [0-9a-f]{10} +0 of 1 +\S+ h \? ", few_shot)
    assert "on one thread of this processor" in few_shot
    shifts = "(domain -> imagenetv2, imagenet_sketch, imagenet_a, imagenet_r)"
    assert shifts in cli("study", str(ROOT / "plans/domain.toml"), "--dry-run").out
    assert "(cross-dataset -> 10 data sets)" in cli("study", str(ROOT / "plans/cross_dataset.toml"), "--dry-run").out


def test_a_terminal_gets_the_first_tasks(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(here))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    found = re.sub(r"\x1b\[[0-9;]*m", "", cli("study", str(ROOT / "plans/few_shot.toml"), "--dry-run").out)
    assert len(re.findall(r" 0 of \d+ ", found)) == 40
    assert "the first 40 of 671 tasks; a file or a pipe gets all" in found
    assert "825 missing in 671 tasks" in found


def test_the_page_lists_every_key_of_a_plan() -> None:
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    table = "".join(line for line in page.splitlines() if line.startswith("|"))
    parts = Plan, PlannedMethod, Comparison, ReadConfig
    keys = {one.name for part in parts for one in fields(part)} - {"comparisons", "text", "read"}
    assert set(re.findall(r"`(\w+)`", table)) >= keys


def test_the_plan_of_the_page_is_one(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(here))
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (here / "plan.toml").write_text(text, encoding="utf-8")
    found = cli("study", "plan.toml", "--dry-run")
    assert found.status == 0, found.err
    assert f"{2 * 4 * 2 * 3} trials: 0 done" in found.out
