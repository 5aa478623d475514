"""The ratio is 1 for independent data sets, and their number where seeds move all of them alike."""

import random

import pytest

from tests.report.test_tables import row
from tools.seed_spread import accuracies, ratio

SEEDS, SETS = range(4), "abcdefgh"


def test_independent_data_sets() -> None:
    draw = random.Random(1)
    methods = [{name: {seed: draw.gauss(50, 3) for seed in SEEDS} for name in SETS} for _ in range(400)]
    assert ratio(methods) == pytest.approx(1, abs=0.1)


def test_seeds_that_move_all_alike() -> None:
    draw = random.Random(2)
    moves = {seed: draw.gauss(0, 3) for seed in SEEDS}
    alike = {name: {seed: 50 + move for seed, move in moves.items()} for name in SETS}
    assert ratio([alike]) == pytest.approx(len(SETS))


def test_only_methods_with_all_data_sets_count() -> None:
    whole = [row(data, "maple", seed, 100 + seed, 50) for data in "xy" for seed in (1, 2)]
    rest = [row("x", "vpt", seed, 100, 50) for seed in (1, 2)] + [row("x", "zero_shot", 1, 100, 50)]
    assert accuracies([*whole, *rest], "base") == [{"x": {1: 50.5, 2: 51.0}, "y": {1: 50.5, 2: 51.0}}]
