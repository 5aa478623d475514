"""The plans that come with bmip, and the one of the page on studies, say what they should, without data and weights."""

import re
from pathlib import Path

import pytest

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
    "embedded_search": 24 * 4 * 4 * 3,
    "embedded": 6 * 12 * 3 + 6 * 3 * (1 + 11) + 6 * 3 * (1 + 5) + (25 * 2 * 2 - 6 * 2) * 3 + 4 * 2 * 3 * 5,
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
    assert not list(here.glob("runs/**/*.jsonl"))


def test_the_plan_of_the_page_is_one(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", str(here))
    page = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (here / "plan.toml").write_text(text, encoding="utf-8")
    found = cli("study", "plan.toml", "--dry-run")
    assert found.status == 0, found.err
    assert f"{2 * 4 * 2 * 3} trials: 0 done" in found.out
