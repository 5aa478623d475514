"""The plans that come with bmip say what they should, without data and without weights."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, cache, cli, here

__all__ = ["cache", "cli", "here"]

PLANS = sorted((Path(__file__).parents[2] / "plans").glob("*.toml"))
COUNTS = {
    "base_to_novel": 7 * 11 * 3,
    "open_world": 7 * 11 * 3,
    "few_shot": 5 * 11 * 3 * 5,
    "cross_dataset": 7 * 3 * (1 + 10),
    "domain": 7 * 3 * (1 + 4),
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
