import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.protocols.trial import Trial
from bmip.report import as_markdown, as_rich, tables
from bmip.results import Count, Row


def row(data: str, method: str, seed: int, base: int, novel: int, **trial) -> Row:
    return Row(
        trial=Trial(protocol="base-to-novel", method=method, data=data, data_seed=seed, init_seed=seed, **trial),
        counts={"base": Count(base, 200), "novel": Count(novel, 100)},
        learned=0 if method == "zero_shot" else 1234,
        seconds=1.0,
        backbone="abcdef0123",
        split="s",
    )


ROWS = [
    *(row("x", "zero_shot", seed, 100, 60) for seed in (1, 2, 3)),
    *(row("x", "bmip", seed, base, novel) for seed, base, novel in ((1, 160, 70), (2, 180, 50), (3, 170, 60))),
    *(row("y", "zero_shot", seed, 140, 20) for seed in (1, 2, 3)),
    *(row("y", "bmip", seed, base, novel) for seed, base, novel in ((1, 120, 30), (2, 100, 30), (3, 110, 30))),
]


def test_numbers() -> None:
    (table,) = tables(ROWS)
    assert "16 shots" in table.title
    assert [line[0] for line in table.rows] == ["x", "", "y", "", "average", ""]
    assert [line[1:5] for line in table.rows] == [
        ("zero-shot", "50.0", "60.0", "54.5"),
        # 80, 90, 85: mean 85, deviation 5, interval 4.303 * 5 / sqrt(3) = 12.4
        ("bmip", "85.0 ± 12.4", "60.0 ± 24.8", "70.3"),
        ("zero-shot", "70.0", "20.0", "31.1"),
        ("bmip", "55.0 ± 12.4", "30.0 ± 0.0", "38.8"),
        ("zero-shot", "60.0", "40.0", "48.0"),
        # averages per seed: base 70, 70, 70; novel 50, 40, 45. Harmonic mean of 70 and 45.
        ("bmip", "70.0 ± 0.0", "45.0 ± 12.4", "54.8"),
    ]


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(order: random.Random) -> None:
    mixed = list(ROWS)
    order.shuffle(mixed)
    assert tables(mixed) == tables(ROWS)


def test_an_average_needs_every_data_set() -> None:
    (table,) = tables([*ROWS, row("z", "bmip", 1, 100, 50)])
    averages = {line[1]: line[2] for line in table.rows[-2:]}
    assert averages["zero-shot"] == "–"
    assert averages["bmip"] == "63.3", "seeds differ between data sets, so there is no interval"


def test_lines_are_told_apart_by_what_differs() -> None:
    variants = [
        row("x", "bmip", 1, 1, 1),
        row("x", "bmip", 1, 2, 2, preset="released"),
        row("x", "maple", 1, 1, 1, options=(("depth", 2), ("slots", 2))),
        row("x", "maple", 1, 1, 1, options=(("depth", 3), ("slots", 2))),
    ]
    (table,) = tables(variants)
    assert {line[1] for line in table.rows} == {"bmip (default)", "bmip (released)", "maple depth=2", "maple depth=3"}


def test_shots_backbones_and_protocols_have_tables_of_their_own() -> None:
    others = [
        row("x", "bmip", 1, 1, 1, shots=4),
        replace(ROWS[0], backbone="fedcba"),
        replace(ROWS[0], trial=replace(ROWS[0].trial, protocol="validation")),
        replace(ROWS[0], trial=replace(ROWS[0].trial, protocol="something-new")),
    ]
    found = tables([ROWS[0], *others])
    assert len({table.title for table in found}) == 5
    assert sum("no results" in table.caption for table in found) == 1
    (new,) = (table for table in found if "Something new" in table.title)
    assert new.columns == ("data set", "method", "base", "novel", "seeds")


def test_markdown() -> None:
    (table,) = tables(ROWS[:1])
    assert as_markdown(table).splitlines()[2:5] == [
        "| data set | method | base | novel | harmonic mean | seeds | trained values |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        "| x | zero-shot | 50.0 | 60.0 | 54.5 | 1 | 0 |",
    ]
    assert as_rich(table).row_count == 1


def test_no_rows_no_tables() -> None:
    assert tables([]) == []


@pytest.mark.parametrize("missing", ["novel"])
def test_part_that_was_not_judged_is_a_gap(missing: str) -> None:
    trial = replace(ROWS[0].trial, protocol="few-shot")
    whole = replace(ROWS[0], trial=trial)
    part = replace(whole, trial=replace(trial, data="y"), counts={"base": Count(1, 2)})
    (table,) = tables([whole, part])
    assert table.rows[1][2:4] == ("50.0", "–")
