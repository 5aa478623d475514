import io
import random
import re
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from bmip.experiments.method_trial import method_trial
from bmip.experiments.presets import departures
from bmip.experiments.results import Count, Row
from bmip.report import against_tables, all_metrics, as_markdown, as_rich, tables
from bmip.report.table import Table
from tests.experiments.making import a_trial, replaced


def row(data: str, method: str, seed: int, base: int, novel: int, **trial) -> Row:
    return Row(
        trial=a_trial(protocol="base-to-novel", method=method, data=data, data_seed=seed, init_seed=seed, **trial),
        counts={"base": Count(base, 200), "novel": Count(novel, 100)},
        trainable=0 if method == "zero_shot" else 1234,
        training_seconds=1.0,
        evaluation_seconds=0.0,
        time="2026-01-02T03:04:05+00:00",
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
    assert [line[0] for line in table.rows] == ["x", "", "y", "", "average", "", "mean of HMs", ""]
    assert [line[1:5] for line in table.rows] == [
        ("zero-shot", "50.0", "60.0", "54.5"),
        # 80, 90, 85: mean 85, deviation 5, interval 4.303 * 5 / sqrt(3) = 12.4
        ("bmip", "85.0 ± 12.4", "60.0 ± 24.8", "70.3"),
        ("zero-shot", "70.0", "20.0", "31.1"),
        ("bmip", "55.0 ± 12.4", "30.0 ± 0.0", "38.8"),
        ("zero-shot", "60.0", "40.0", "48.0"),
        # averages per seed: base 70, 70, 70; novel 50, 40, 45. Harmonic mean of 70 and 45.
        ("bmip", "70.0 ± 0.0", "45.0 ± 12.4", "54.8"),
        # (54.5 + 31.1) / 2 and (70.3 + 38.8) / 2
        ("zero-shot", "", "", "42.8"),
        ("bmip", "", "", "54.6"),
    ]
    assert "'mean of HMs' is the mean of the data sets' own harmonic means" in table.caption


def test_base_classes_of_their_own_have_a_table_and_a_title() -> None:
    few, many = (tuple(f"c{number}" for number in range(count)) for count in (2, 9))
    one = row("x", "bmip", 1, 100, 60)
    found = tables([replace(one, trial=replaced(one.trial, base=base)) for base in (0.5, 0.25, few, many)])
    ends = [table.title.removeprefix("Base to novel, 16 shots") for table in found]
    said = [", base: c0, c1", ", base: c0, c1, c2, c3 and 5 more", ", base: the first 25%", ""]
    assert sorted(ends) == sorted(f"{words}, x (abcdef01)" for words in said)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(order: random.Random) -> None:
    mixed = list(ROWS)
    order.shuffle(mixed)
    assert tables(mixed) == tables(ROWS)


def test_an_average_needs_every_data_set() -> None:
    (table,) = tables([*ROWS, row("z", "bmip", 1, 100, 50)])
    averages = {line[1]: line[2] for line in table.rows[-4:-2]}
    assert averages["zero-shot"] == "–"
    assert averages["bmip"] == "63.3", "seeds differ between data sets, so there is no interval"
    assert table.rows[-2][4] == "–"
    assert "for lack of results that other lines have: zero-shot (without z)." in table.caption
    assert "lacks" not in tables(ROWS)[0].caption


def test_an_average_needs_every_seed() -> None:
    others = [row(data, "maple", seed, 100, 50) for data in "xy" for seed in (1, 2, 3)]
    (table,) = tables([*ROWS[:-1], *others])
    averages, means = ({line[1]: line for line in lines} for lines in (table.rows[-6:-3], table.rows[-3:]))
    assert averages["bmip"][2:5] == ("–",) * 3 and averages["maple"][2] == "50.0 ± 0.0"
    assert means["bmip"][4] == "–" and means["maple"][4] == "50.0"
    assert "other lines have: bmip (without y (seeds 3/3))." in table.caption


def test_an_average_lacks_cells_column_by_column() -> None:
    rows = [judged("few-shot", "bmip", 1, {"all": 50}, data=data, shots=shots) for data in "xy" for shots in (1, 2, 4)]
    rows += [judged("few-shot", "maple", 1, {"all": 50}, data=data, shots=1) for data in "xy"]
    rows += [judged("few-shot", "maple", 1, {"all": 50}, data="x", shots=2)]
    (table,) = tables(rows)
    assert table.rows[-1][1:5] == ("bmip", "50.0", "50.0", "50.0")
    assert table.rows[-2][1:5] == ("maple", "50.0", "–", "–")
    assert "maple (without y in 2 shots; x, y in 4 shots)." in table.caption


def test_the_best_is_bold_only_where_it_is_clearly_better_than_the_next() -> None:
    (table,) = tables(ROWS)
    assert (1, 2) in table.bold, "85.0 ± 12.4 against 50"
    assert not {(0, 3), (1, 3)} & table.bold, "both are 60"
    assert not {(2, 3), (3, 3)} & table.bold, "30 three times: the difference does not vary, so no test judges it"
    assert "Bold: the best of a column" in table.caption
    near = [row("x", "maple", seed, base, 60) for seed, base in ((1, 159), (2, 181), (3, 160))]
    (table,) = tables([*ROWS[:6], *near])
    assert table.bold == frozenset() and "Bold" not in table.caption, "bmip is best, but maple is too near"
    (alone,) = tables([one for one in ROWS if one.trial.run.data_seed == 1])
    assert alone.bold == frozenset(), "one seed tells nothing"


def test_bold_in_every_form_of_a_table() -> None:
    (table,) = tables(ROWS)
    shown = as_markdown(table).splitlines()
    assert shown[5].startswith("|  | bmip | **85.0 ± 12.4** | 60.0 ± 24.8 | ")
    console = Console(width=200, record=True, file=io.StringIO(), force_terminal=True)
    console.print(as_rich(table))
    assert re.search(r"\x1b\[1m *85\.0 ± 12\.4", console.export_text(styles=True))


def test_where_lower_is_better_the_lowest_is_bold() -> None:
    def error(method: str, seed: int, value: float) -> Row:
        scores = {"calibration_error": value, "top5": value}
        return judged("few-shot", method, seed, {"all": 50}, scores=scores, data="x")

    rows = [error("maple", seed, 10.0 + seed / 10) for seed in (1, 2, 3)]
    rows += [error("bmip", seed, 20.0 + seed / 5) for seed in (1, 2, 3)]
    (table,) = all_metrics(rows)
    assert table.columns[2:5] == ("all", "top-5", "ECE")
    assert {(table.rows[line][1], table.columns[column]) for line, column in table.bold} == {
        ("bmip", "top-5"),
        ("maple", "ECE"),
    }


def test_lines_are_told_apart_by_what_differs() -> None:
    variants = [
        row("x", "bmip", 1, 1, 1),
        row("x", "bmip", 1, 2, 2, preset="released"),
        row("x", "maple", 1, 1, 1, options=(("depth", 2), ("slots", 2))),
        row("x", "maple", 1, 1, 1, options=(("depth", 3), ("slots", 2))),
        row("x", "zero_shot", 1, 1, 1),
        row("x", "zero_shot", 1, 1, 1, template="a {}."),
    ]
    (table,) = tables(variants)
    assert {line[1] for line in table.rows} == {
        "bmip",
        "bmip:released",
        "maple depth=2",
        "maple depth=3",
        "zero-shot own template",
        "zero-shot 'a {}.'",
    }


def labelled(label: str, *, data: str = "x", **trial) -> Row:
    return replace(row(data, "bmip", 1, 1, 1, **trial), label=label)


def test_a_label_is_the_name_of_its_line() -> None:
    deep = labelled("bmip, depth 12", options=(("depth", 12),))
    (table,) = tables([row("x", "bmip", 1, 1, 1), deep, changed("maple", epochs=1), changed("coop", lr=2)])
    assert {line[1] for line in table.rows} == {"coop lr=2", "maple epochs=1", "bmip", "bmip, depth 12"}


def test_lines_of_one_label_are_told_apart() -> None:
    rows = [labelled("deep", training=(("lr", 1), ("precision", name))) for name in ("float32", "bfloat16")]
    rows += [labelled("deep", training=(("lr", 1), ("precision", "float32")), template="a {}.")]
    (table,) = tables(rows)
    assert {line[1] for line in table.rows} == {
        "deep precision=float32 own template",
        "deep precision=bfloat16 own template",
        "deep precision=float32 'a {}.'",
    }


def test_methods_of_one_label_are_told_apart() -> None:
    rows = [labelled("ours"), replace(row("x", "coop", 1, 1, 1), label="ours")]
    (table,) = tables(rows)
    assert {line[1] for line in table.rows} == {"ours (bmip)", "ours (coop)"}


def test_lines_stand_in_the_order_of_their_labels() -> None:
    depths = [labelled(f"depth: {depth}", options=(("depth", depth),)) for depth in (12, 3, 9)]
    more = [row("x", name, 1, 1, 1) for name in ("bmip+coprompt", "maple")]
    (table,) = tables([*depths, labelled("", options=(("depth", 5),)), *more])
    assert [line[1].split(" depth=")[0] for line in table.rows] == [
        *("maple", "bmip", "depth: 3", "depth: 9", "depth: 12", "bmip+coprompt"),
    ]


def test_an_average_says_how_many_seeds_it_has() -> None:
    rows = [row(data, "bmip", seed, 100, 50) for data, seeds in (("x", (1, 2, 3)), ("y", (1, 2))) for seed in seeds]
    (table,) = tables(rows)
    seeds, trainable = table.columns.index("seeds"), table.columns.index("trainable parameters")
    assert [(line[0], line[seeds], line[trainable]) for line in table.rows] == [
        *(("x", "3", "1,234"), ("y", "2", "1,234"), ("average", "2-3", "1,234"), ("mean of HMs", "", "")),
    ]


def test_a_line_with_two_labels_has_neither() -> None:
    for other in ("b", ""):
        (table,) = tables([labelled("a"), labelled(other, data="y")])
        assert {line[1] for line in table.rows} == {"bmip"}


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
    assert new.columns == ("data set", "method", "base", "novel", "seeds", "trainable parameters")


def test_markdown() -> None:
    (table,) = tables(ROWS[:1])
    assert as_markdown(table).splitlines()[2:5] == [
        "| data set | method | base | novel | harmonic mean | seeds | trainable parameters | seconds |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| x | zero-shot | 50.0 | 60.0 | 54.5 | 1 | 0 | 1 |",
    ]
    assert as_rich(table).row_count == 1


def test_columns_of_numbers_are_aligned_right_and_texts_left() -> None:
    rows = (("7", "12.0 ± 0.5", "< 0.001", "depth 12", "1 of 3", ""), ("8", "–", "−1.5", "–", "", "–"))
    table = Table("t", ("class", "accuracy", "p", "options", "3 of what", "nothing"), rows, "c")
    assert as_markdown(table).splitlines()[3] == "| --- | ---: | ---: | --- | ---: | ---: |"
    assert [column.justify for column in as_rich(table).columns] == ["left", "right", "right", "left", "right", "right"]


def test_seconds_are_the_mean_of_runs_that_were_run() -> None:
    once = [
        row("x", "zero_shot", 1, 1, 1),
        *(replace(row("x", "zero_shot", k, 1, 1), training_seconds=0.0, evaluation_seconds=0.0) for k in (2, 3)),
    ]
    runs = [replace(row("x", "bmip", k, 1, 1), training_seconds=10.0 * k, evaluation_seconds=0.0) for k in (1, 2)]
    (table,) = tables([*once, *runs])
    assert [line[-1] for line in table.rows] == ["1", "15"]


def test_no_rows_no_tables() -> None:
    assert tables([]) == []


def test_part_that_was_not_judged_is_a_gap() -> None:
    trial = replace(ROWS[0].trial, protocol="something-new")
    whole = replace(ROWS[0], trial=trial)
    part = replace(whole, trial=replaced(trial, data="y"), counts={"base": Count(1, 2)})
    (table,) = tables([whole, part])
    assert table.rows[1][2:4] == ("50.0", "–")


def judged(protocol: str, method: str, seed: int, counts: dict[str, int], *, scores=None, **trial) -> Row:
    return Row(
        trial=a_trial(protocol=protocol, method=method, data_seed=seed, init_seed=seed, **trial),
        counts={part: Count(correct, 100) for part, correct in counts.items()},
        scores=scores or {},
        trainable=0 if method == "zero_shot" else 1234,
        training_seconds=1.0,
        evaluation_seconds=0.0,
        time="2026-01-02T03:04:05+00:00",
        backbone="abcdef0123",
        split="s",
    )


def test_few_shot_has_a_column_for_each_number_of_shots() -> None:
    rows = [
        judged("few-shot", "bmip", seed, {"all": 10 * shots + seed + step}, data=data, shots=shots)
        for seed in (1, 2)
        for shots in (1, 2, 4)
        for step, data in enumerate("xy")
    ]
    rows += [judged("few-shot", "bmip", 1, {"all": 95}, data="x", shots=0)]
    (table,) = tables(rows)
    assert table.columns == (
        "data set",
        "method",
        "1 shot",
        "2 shots",
        "4 shots",
        "all images",
        "seeds",
        "trainable parameters",
    )
    assert [line[0] for line in table.rows] == ["x", "y", "average"]
    # 11 and 12: mean 11.5, interval 12.706 * 0.5
    assert table.rows[0] == ("x", "bmip", "11.5 ± 6.4", "21.5 ± 6.4", "41.5 ± 6.4", "95.0", "1-2", "1,234")
    assert table.rows[2] == ("average", "bmip", "12.0 ± 6.4", "22.0 ± 6.4", "42.0 ± 6.4", "–", "1-2", "1,234")
    assert "shots" not in table.title


def test_transfer_averages_targets_without_the_source() -> None:
    def run(target: str, correct: int, data: str = "z") -> Row:
        return judged("cross-dataset", "bmip", 1, {"all": correct}, data=data, target=target)

    rows = [run("", 90), run("a", 50), run("b", 60)]
    (table,) = tables(rows)
    assert table.columns[2] == "accuracy" and "from z" in table.title
    assert [line[:3] for line in table.rows] == [
        ("z (source)", "bmip", "90.0"),
        ("a", "bmip", "50.0"),
        ("b", "bmip", "60.0"),
        ("average", "bmip", "55.0"),
    ]
    assert "2 data sets without the source" in table.caption
    assert len(tables([*rows, run("", 80, data="w")])) == 2, "each source has a table"


def test_open_world() -> None:
    counts = {"base": 80, "novel": 60, "base_joint": 60, "novel_joint": 30, "joint": 45}
    scores = {"auroc": 75.0, "fpr95": 50.0, "openworld_auc": 40.0}
    rows = [judged("open-world", "bmip", 1, counts, scores=scores, data=data) for data in "xy"]
    (table,) = tables(rows)
    said = dict(zip(table.columns, table.rows[0], strict=True))
    assert {name: said[name] for name in ("base", "novel", "H")} == {"base": "80.0", "novel": "60.0", "H": "68.6"}
    assert {name: said[name] for name in ("base, joint", "novel, joint", "joint HM", "joint")} == {
        "base, joint": "60.0",
        "novel, joint": "30.0",
        "joint HM": "40.0",
        "joint": "45.0",
    }
    assert (said["AUROC"], said["OpenworldAUC"]) == ("75.0", "40.0")
    last = dict(zip(table.columns, table.rows[-1], strict=True))
    assert (last["data set"], last["H"], last["joint HM"], last["base"]) == ("mean of HMs", "68.6", "40.0", "")


def test_a_ratio_sweep_counts_the_seeds_of_untrained_methods_too() -> None:
    rows = [judged("ratio-sweep", "zero_shot", seed, {"100": 50 + seed, "0": 20}, data="x") for seed in (1, 3)]
    (table,) = tables(rows)
    assert table.columns[2:4] == ("100 %", "0 %")
    assert table.rows[0][2:4] == ("52.0 ± 12.7", "20.0 ± 0.0")
    more = [replace(one, counts={**one.counts, "90": Count(1, 2)}) for one in rows]
    assert tables(more)[0].columns == table.columns, "eleven columns with intervals are too wide"
    assert all_metrics(more)[0].columns[2:5] == ("100", "90", "0")


def test_all_metrics_show_every_number_of_a_row() -> None:
    scores = {"macro_accuracy": 44.0, "macro_f1": 43.0, "calibration_error": 7.0}
    rows = [judged("few-shot", "bmip", 1, {"all": 45}, scores=scores, data="x", shots=shots) for shots in (1, 2)]
    rows += [replace(rows[0], scores={**scores, "top5": 90.0}, trial=replaced(rows[0].trial, data="y"))]
    one, two = all_metrics(rows)
    assert one.columns[2:-2] == ("all", "macro accuracy", "top-5", "macro F1", "ECE")
    assert [line[2:7] for line in one.rows[:2]] == [
        ("45.0", "44.0", "–", "43.0", "7.0"),
        ("45.0", "44.0", "90.0", "43.0", "7.0"),
    ]
    assert "1 shot," in one.title and "2 shots" in two.title


def test_all_metrics_of_base_and_novel_classes_stand_in_tables_of_their_own() -> None:
    scores = {"base_top5": 90.0, "base_calibration_error": 7.0, "novel_top5": 80.0}
    counts = {"base": 45, "novel": 35}
    base, novel = all_metrics([judged("base-to-novel", "bmip", 1, counts, scores=scores, data="x")])
    assert base.title == "Base to novel, all metrics, base, 16 shots, x (abcdef01)"
    assert (base.columns[2:-2], base.rows[0][2:-2]) == (("accuracy", "top-5", "ECE"), ("45.0", "90.0", "7.0"))
    assert (novel.columns[2:-2], novel.rows[0][2:-2]) == (("accuracy", "top-5"), ("35.0", "80.0"))
    (old,) = all_metrics([judged("base-to-novel", "bmip", 1, counts, data="x")])
    assert old.columns[2:-2] == ("base", "novel"), "rows of earlier versions lack these scores"


def test_against_one_method() -> None:
    (table,), lacking = against_tables(ROWS, "zero-shot")
    assert lacking == [] and table.columns[-1] == "pairs"
    assert "against zero-shot" in table.title
    lines = {line[0]: line[2:] for line in table.rows}
    x = stats.ttest_rel([80.0, 90.0, 85.0], [50.0] * 3)
    assert lines["x"][0] == f"+35.0 ± 12.4, p {x.pvalue:.3f}"
    # harmonic means of the runs: 80 and 70, 90 and 50, 85 and 60 against 50 and 60
    runs = [statistics.harmonic_mean(pair) for pair in ((80, 70), (90, 50), (85, 60))]
    own = statistics.harmonic_mean((50, 60))
    found = stats.ttest_rel(runs, [own] * 3)
    margin = stats.t.ppf(0.975, 2) * stats.sem(runs)
    assert lines["x"][2] == f"{statistics.fmean(runs) - own:+.1f} ± {margin:.1f}, p {found.pvalue:.3f}"
    # 30, 40, 35 on x and -10, -20, -15 on y: the mean of 35 and -15, by the test that Welch made for two samples
    found = stats.ttest_ind([30, 40, 35], [10, 20, 15], equal_var=False)
    margin = stats.t.ppf(0.975, found.df) * 20 / found.statistic / 2
    assert lines["average"][0] == f"+10.0 ± {margin:.1f}, p {found.pvalue:.3f}"
    assert {line[-1] for line in lines.values()} == {"3"}


def test_against_a_method_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="'coop' is no line of the table: there are zero-shot, bmip"):
        against_tables(ROWS, "coop")
    alone = [one for one in ROWS if one.trial.run.data_seed == 1]
    (table,), _ = against_tables(alone, "zero-shot")
    assert table.rows[0][2] == "+30.0", "one seed tells no interval"


def test_a_method_that_learns_nothing_is_compared_with_every_seed() -> None:
    once = [one for one in ROWS if one.trainable or one.trial.run.data_seed == 2]
    (whole,), _ = against_tables(ROWS, "zero-shot")
    (table,), _ = against_tables(once, "zero-shot")
    assert table.rows == whole.rows
    (other,), _ = against_tables(once, "bmip")
    assert other.rows[0][2:] == ("-35.0 ± 12.4, p 0.007", "+0.0 ± 24.8, p 1.000", other.rows[0][4], "3")


def test_where_label_spaces_are_drawn_only_equal_seeds_are_pairs() -> None:
    rows = [judged("ratio-sweep", "zero_shot", seed, {"100": 50}, data="x") for seed in (1, 2)]
    rows += [judged("ratio-sweep", "bmip", seed, {"100": 60 + seed}, data="x") for seed in (1, 2, 3)]
    (table,), _ = against_tables(rows, "zero-shot")
    assert table.rows[0][-1] == "2"


def test_seeds_without_a_partner_are_told() -> None:
    rows = [*ROWS[3:6], *(row("x", "maple", seed, 100, 50) for seed in (2, 3, 4))]
    (table,), _ = against_tables(rows, "maple")
    assert table.rows[0][-1] == "2"


def test_a_table_without_the_line_is_told_and_the_others_are_made() -> None:
    rows = [*ROWS, row("x", "bmip", 1, 100, 50, shots=4)]
    tables_made, lacking = against_tables(rows, "zero-shot")
    assert len(tables_made) == 1
    assert len(lacking) == 1 and "4 shots" in lacking[0] and "there are bmip" in lacking[0]


def test_training_does_not_split_what_learns_nothing() -> None:
    rows = [row("x", "zero_shot", 1, 100, 60), row("x", "zero_shot", 2, 100, 60, training=(("epochs", 1),))]
    (table,) = tables(rows)
    assert [line[1:6] for line in table.rows] == [("zero-shot", "50.0", "60.0", "54.5", "2")]
    exact = row("x", "zero_shot", 3, 101, 60, training=(("precision", "bfloat16"),))
    (table,) = tables([*rows, exact])
    assert [line[1] for line in table.rows] == ["zero-shot precision=bfloat16", "zero-shot"]


def changed(method: str, *, trainable: int = 1, **settings: str | int) -> Row:
    """A preset with lr 1, and these settings changed."""
    pairs = tuple(sorted(settings.items()))
    one = row("x", method, 1, 100, 60, training=tuple(sorted({"lr": 1, **settings}.items())))
    return replace(one, changed=pairs, trainable=trainable)


def test_what_departs_from_the_preset_is_told() -> None:
    rows = [changed("coop", epochs=1), changed("maple"), changed("zero_shot", trainable=0, epochs=1)]
    (table,) = tables(rows)
    assert [line[1] for line in table.rows] == ["zero-shot", "coop epochs=1", "maple"]
    rows = [changed("coop", epochs=1, lr=2), changed("maple", epochs=1), changed("zero_shot", trainable=0, epochs=1)]
    (table,) = tables(rows)
    assert [line[1] for line in table.rows] == ["zero-shot", "coop lr=2", "maple"]
    assert "16 shots, epochs=1, x" in table.title
    rows[1] = replace(rows[1], changed=())  # its preset has one epoch anyway
    (table,) = tables(rows)
    assert [line[1] for line in table.rows] == ["zero-shot", "coop lr=2", "maple"]
    assert "16 shots, epochs=1, x" in table.title


def test_precision_stands_in_the_title_where_it_is_that_of_all_lines() -> None:
    trained = [changed("coop", precision="bfloat16"), changed("maple", precision="bfloat16")]
    (table,) = tables([*trained, changed("zero_shot", trainable=0, precision="bfloat16")])
    assert [line[1] for line in table.rows] == ["zero-shot", "coop", "maple"]
    assert "precision=bfloat16" in table.title
    (table,) = tables([*trained, changed("zero_shot", trainable=0)])
    assert [line[1] for line in table.rows] == ["zero-shot", "coop precision=bfloat16", "maple precision=bfloat16"]
    assert "precision" not in table.title


def test_a_preset_from_a_file_is_called_by_the_name_of_the_file() -> None:
    presets = ["default", "/far/away/presets.toml"]
    (table,) = tables([row("x", "bmip", 1, 1, 1, preset=preset) for preset in presets])
    assert {line[1] for line in table.rows} == {"bmip", "bmip:presets.toml"}
    twins = ["a/presets.toml", "b/presets.toml"]
    (table,) = tables([row("x", "bmip", 1, 1, 1, preset=preset) for preset in twins])
    assert {line[1] for line in table.rows} == {"bmip:a/presets.toml", "bmip:b/presets.toml"}


def test_a_preset_that_had_to_be_asked_for_is_shown() -> None:
    def label(method: str, preset: str, backbone: str = "x", protocol: str = "base-to-novel") -> str:
        one = replaced(row("x", method, 1, 1, 1).trial, preset=preset, backbone=backbone)
        (table,) = tables([replace(ROWS[3], trial=replace(one, protocol=protocol))])
        return table.rows[0][1]

    assert label("bmip", "released") == "bmip:released"
    assert label("coop", "few-shot-1") == "coop:few-shot-1"
    assert label("bmip", "default") == label("bmip", "embedded", "embedded") == "bmip"
    assert label("bmip", "default", "embedded") == "bmip:default"
    assert label("maple", "cross-dataset") == "maple:cross-dataset"
    assert label("maple", "default", protocol="something-new") == "maple"
    assert label("no.such_module", "default") == "no.such_module"


def test_settings_that_were_chosen_for_each_data_set_make_one_line_that_says_so() -> None:
    def trained(data: str, **asked: float) -> Row:
        spec = method_trial("mmrl", "released", backbone="x", trained_on=data, options=asked)
        run = replace(ROWS[3].trial.run, method="mmrl", data=data, preset="released", options=spec.options)
        run = replace(run, training=spec.training)
        changed = tuple(departures(run).items())
        return replace(ROWS[3], trial=replace(ROWS[3].trial, run=run), changed=changed)

    own = [trained("dtd"), trained("eurosat")]
    assert own[0].trial.run.options != own[1].trial.run.options
    told = "mmrl:released (settings chosen for each data set)"
    (table,) = tables(own)
    assert {line[1] for line in table.rows} == {told} and "average" in [line[0] for line in table.rows]
    (table,) = tables([*own, *(trained(data, nearness=2.0) for data in ("dtd", "eurosat"))])
    assert {line[1] for line in table.rows} == {told, f"{told} nearness=2.0"}
    (table,) = tables([trained("digits")])
    assert {line[1] for line in table.rows} == {"mmrl:released"}


def test_results_below_zero_shot_are_named() -> None:
    worse = [row("y", "maple", seed, 120, 19) for seed in (1, 2)]  # harmonic mean 28.9 against 31.1
    (table,) = tables([*ROWS, *worse])
    assert table.caption.endswith(" Below zero-shot in harmonic mean: maple on y.")
    assert "Below" not in tables(ROWS)[0].caption
    assert "Below" not in tables(worse)[0].caption, "zero-shot is not stored beside it"
    shots = [judged("few-shot", "zero_shot", 1, {"all": 50}, data="x", shots=shots) for shots in (1, 2)]
    shots += [judged("few-shot", "bmip", 1, {"all": 48 + shots}, data="x", shots=shots) for shots in (1, 2)]
    assert tables(shots)[0].caption.endswith(" Below zero-shot: bmip on x (1 shot).")


def test_a_chosen_sentence_is_told() -> None:
    (table,) = tables([replace(ROWS[0], template="a {}."), ROWS[3]])
    assert "The template of an untrained method is the one best on validation images" in table.caption
    assert "template" not in tables(ROWS)[0].caption


def test_brackets_are_brackets() -> None:
    rows = [row("own[old]", "zero_shot", 1, 1, 1, template=text) for text in ("[/b] {}.", "[red]{}")]
    (table,) = tables(rows)
    title, caption = "of [bold] \\", "[/i]"
    shown = as_rich(replace(table, title=title, caption=caption))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(shown)
    text = console.export_text()
    for part in ("own[old]", "'[/b] {}.'", "'[red]{}'", title, caption):
        assert part in text
