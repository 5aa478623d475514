"""The ratio is 1 for independent data sets, and their number where seeds move all of them alike."""

import random

import pytest

from tools.seed_spread import ratio

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
