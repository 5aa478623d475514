"""What all data sets and seeds say together, from rows."""

import statistics
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bmip.experiments.results import Row
from bmip.metrics import bootstrap, mean_score
from bmip.report import verdict_tables
from bmip.report.pairs import all_pairs
from bmip.report.standings import improvement, profiles, standings
from bmip.report.table_data import TableData, table_data
from tests.experiments.making import replaced
from tests.report.test_tables import ROWS, judged, row

FEW = [judged("few-shot", "coop", 1, {"all": 50}, data=data, shots=1) for data in "xy"]


def of(rows: list[Row]) -> TableData:
    (data,) = table_data(rows)
    return data


def test_standings() -> None:
    data = of(ROWS)
    base = data.layout.columns[0]
    zero_shot, bmip = standings(data, base)
    runs = [80, 90, 85, 60, 50, 55]
    assert bmip.mean.value == pytest.approx(70) and bmip.median.value == pytest.approx(70)
    assert bmip.interquartile_mean.value == pytest.approx(stats.trim_mean(runs, 0.25))
    assert bmip.mean.bounds == tuple(bootstrap(mean_score, [np.array([80.0, 90, 85]), np.array([60.0, 50, 55])]))
    assert zero_shot.mean.value == pytest.approx(60) and zero_shot.mean.bounds is None, "no seed matters"


def test_a_line_that_lacks_a_cell_does_not_stand_beside_the_others() -> None:
    data = of([*ROWS[:-1], *(row(data, "maple", seed, 100, 50) for data in "xy" for seed in (1, 2, 3))])
    for column in data.layout.columns:
        assert [data.labels[one.line] for one in standings(data, column)] == ["zero-shot", "maple"]
        assert [data.labels[one.line] for one in profiles(data, column, np.array([50.0]))] == ["zero-shot", "maple"]


def test_one_seed_has_no_interval() -> None:
    data = of([one for one in ROWS if one.trial.run.data_seed == 1])
    for column in data.layout.columns:
        assert [one.mean.bounds for one in standings(data, column)] == [None, None]
        assert [one.bounds for one in profiles(data, column, np.array([50.0]))] == [None, None]
        ((_, pair),) = all_pairs(data, [column])
        assert improvement(data, column, pair).bounds is None


def test_initialisation_seeds_of_one_data_seed_are_one_run() -> None:
    crossed = [
        replace(one, trial=replaced(one.trial, init_seed=init)) for one in ROWS if one.trainable for init in (1, 2)
    ]
    data, plain = of(crossed), of([one for one in ROWS if one.trainable])
    column = data.layout.columns[0]
    assert standings(data, column)[0].mean == standings(plain, plain.layout.columns[0])[0].mean


def test_profiles() -> None:
    data = of(ROWS)
    zero_shot, bmip = profiles(data, data.layout.columns[0], np.array([49.0, 55.0, 84.0]))
    assert zero_shot.shares.tolist() == [100, 50, 0] and zero_shot.bounds is None
    assert bmip.shares == pytest.approx([100, 100 * 4 / 6, 100 * 2 / 6])
    assert bmip.bounds is not None and (bmip.bounds[0] <= bmip.shares).all() and (bmip.shares <= bmip.bounds[1]).all()


def test_the_probability_of_improvement_is_over_the_cells_of_both() -> None:
    maple = [row("x", "maple", seed, base, 50) for seed, base in ((1, 165), (2, 175), (4, 10))]
    data = of([*ROWS, *maple])
    (pair,) = [one for _, one in all_pairs(data, data.layout.columns[:1]) if data.labels[one.first] == "maple"]
    found = improvement(data, data.layout.columns[0], pair)
    # 82.5 and 87.5 against 80 and 90: better in 2 of 4
    assert found.value == 50 and found.bounds is not None and found.bounds[0] < 50 < found.bounds[1]


def test_the_tables() -> None:
    pairs, whole = verdict_tables(ROWS)
    assert pairs.title == "Base to novel, who beats whom, 16 shots, x (abcdef01)"
    (line,) = pairs.rows
    said = dict(zip(pairs.columns, line, strict=True))
    runs = {"x": ((80, 70), (90, 50), (85, 60)), "y": ((60, 30), (50, 30), (55, 30))}
    plain = {"x": statistics.harmonic_mean((50, 60)), "y": statistics.harmonic_mean((70, 20))}
    each = {name: [plain[name] - statistics.harmonic_mean(one) for one in own] for name, own in runs.items()}
    mean = statistics.fmean(map(statistics.fmean, each.values()))
    test = stats.ttest_ind(each["x"], [-value for value in each["y"]], equal_var=False)
    assert (said["method"], said["against"], said["in %"]) == ("zero-shot", "bmip", "harmonic mean")
    assert said["difference"].startswith(f"{mean:+.1f} ± ") and said["p"] == said["p, Holm"]
    p = 2 * stats.t.sf(abs(test.statistic), int(test.df))  # with whole degrees of freedom
    assert said["p"] == f"{p:.3f}" and pairs.bold == {(0, 3)}
    assert (said["P(better)"], said["data sets won"], said["pairs"]) == ("0.0 [0.0, 0.0]", "0 of 2", "3")
    assert [line[:2] for line in whole.rows] == [("zero-shot", "harmonic mean"), ("bmip", "harmonic mean")]
    assert "[" not in whole.rows[0][2] and "[" in whole.rows[1][2]


def test_every_number_of_shots_is_judged_for_itself() -> None:
    more = [judged("few-shot", "bmip", 1, {"all": 60}, data=data, shots=shots) for data in "xy" for shots in (1, 2)]
    pairs, whole = verdict_tables([*FEW, *more])
    assert [line[2:4] for line in pairs.rows] == [("1 shot", "-10.0")]
    assert [line[:3] for line in whole.rows] == [
        ("coop", "1 shot", "50.0"),
        ("bmip", "1 shot", "60.0"),
        ("bmip", "2 shots", "60.0"),
    ]
    assert "No p is below 0.05" in pairs.caption


def test_cells_that_a_comparison_lacks_are_named() -> None:
    pairs, _ = verdict_tables(ROWS[:-1])
    assert "fewer results than the table has" not in pairs.caption, "both have the same cells"
    maple = [row("x", "maple", seed, 100, 50) for seed in (1, 2, 3)]
    pairs, _ = verdict_tables([*ROWS, *maple])
    assert (
        "Averages over fewer results than the table has: zero-shot against maple, maple against bmip without y."
        in pairs.caption
    )


def test_one_data_set_or_one_method() -> None:
    (pairs,) = verdict_tables(ROWS[:6])
    assert pairs.caption.startswith("Over x. ") and pairs.rows[0][7] in ("0 of 1", "1 of 1")
    assert [table.title.split(",")[1] for table in verdict_tables([one for one in ROWS if one.trainable])] == [
        " over all data sets and seeds"
    ]
    assert verdict_tables(ROWS[:3]) == []
