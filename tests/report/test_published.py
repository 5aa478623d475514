"""The published numbers agree with each other, and stand beside ours only where they are about the same."""

import statistics

import pytest

from bmip.data.names import dataset_names
from bmip.experiments.registry import protocol
from bmip.experiments.results import Count, Row
from bmip.metrics import harmonic_mean, harmonic_mean_of_averages, mean_of_harmonic_means
from bmip.report import beside_published, tables
from bmip.report.published import AVERAGE, BENCHMARK, Published, averaged_over, published
from tests.experiments.making import a_trial

BASE_NOVEL = ("base", "novel", "harmonic mean")


def found(protocol: str, method: str, data: str) -> Published:
    (one,) = (
        table for table in published() if (table.protocol, table.method) == (protocol, method) and data in table.numbers
    )
    return one


def test_every_table_says_where_it_comes_from() -> None:
    for table in published():
        assert table.source and table.status in ("read", "recalled")
        for data, numbers in table.numbers.items():
            assert len(numbers) == len(table.measures), (table.name, data)
            assert all(0 < number < 100 for number in numbers)
    assert {table.protocol for table in published()} == {
        "base-to-novel", "cross-dataset", "domain", "few-shot", "open-world", "ablation"
    }  # fmt: skip


@pytest.mark.parametrize("table", [t for t in published() if t.measures == BASE_NOVEL], ids=lambda t: t.name)
def test_harmonic_means_follow_from_the_accuracies(table: Published) -> None:
    for data, (base, novel, mean) in table.numbers.items():
        follows = harmonic_mean(base, novel)
        if table.method in ("bmip", "rpo", "hpt"):
            assert abs(follows - mean) > 0.15 and f"{follows:.2f}" in table.note
        else:
            assert follows == pytest.approx(mean, abs=0.011), data


MEANS_OF_HARMONIC_MEANS = {
    "zero_shot": 71.59,
    "coop": 70.83,
    "cocoop": 75.44,
    "maple": 78.27,
    "promptsrc": 79.77,
    "coprompt": 80.30,
    "proda": 76.33,
    "kgcoop": 76.71,
    "prograd": 75.77,
}


@pytest.mark.parametrize(("method", "expected"), MEANS_OF_HARMONIC_MEANS.items())
def test_averages_follow_from_the_data_sets(method: str, expected: float) -> None:
    each, average = found("base-to-novel", method, "eurosat"), found("base-to-novel", method, AVERAGE)
    assert set(each.numbers) == set(BENCHMARK)
    pairs = [(base, novel) for base, novel, _ in each.numbers.values()]
    base, novel, mean = average.numbers[AVERAGE]
    assert statistics.fmean(pair[0] for pair in pairs) == pytest.approx(base, abs=0.011)
    assert statistics.fmean(pair[1] for pair in pairs) == pytest.approx(novel, abs=0.011)
    assert harmonic_mean_of_averages(pairs) == pytest.approx(mean, abs=0.011)
    assert mean_of_harmonic_means(pairs) == pytest.approx(expected, abs=0.006)


def test_clip_to_the_last_digit() -> None:
    pairs = [(base, novel) for base, novel, _ in found("base-to-novel", "zero_shot", "dtd").numbers.values()]
    assert round(statistics.fmean(base for base, _ in pairs), 2) == 69.34
    assert round(statistics.fmean(novel for _, novel in pairs), 2) == 74.22
    assert round(harmonic_mean_of_averages(pairs), 2) == 71.70
    assert round(mean_of_harmonic_means(pairs), 2) == 71.59


@pytest.mark.parametrize(
    "table", [t for t in published() if t.trained_on and AVERAGE in t.numbers], ids=lambda t: t.name
)
def test_averages_of_transfers(table: Published) -> None:
    over = averaged_over(table)
    assert over == protocol(table.protocol).targets_of(table.trained_on)
    assert statistics.fmean(table.numbers[data][0] for data in over) == pytest.approx(
        table.numbers[AVERAGE][0], abs=0.011
    )


def rows(protocol: str, data: dict[str, dict[str, int]], method: str = "maple", **trial) -> list[Row]:
    return [
        Row(
            trial=a_trial(protocol=protocol, method=method, data=name, **trial),
            counts={part: Count(count, 1000) for part, count in counts.items()},
            trainable=1,
            training_seconds=1.0,
            evaluation_seconds=0.0,
            time="2026-01-02T03:04:05+00:00",
            backbone="abc",
            split="s",
        )
        for name, counts in data.items()
    ]


def test_ours_beside_the_papers() -> None:
    measured = rows("base-to-novel", {"eurosat": {"base": 950, "novel": 700}, "digits": {"base": 900, "novel": 900}})
    (table,) = beside_published(measured)
    assert "ours and published" in table.title and "recalled" in table.rows[0][-1]
    assert [line[:-1] for line in table.rows] == [
        ("eurosat", "maple", "base", "95.00", "94.07", "+0.93", "–"),
        ("", "maple", "novel", "70.00", "73.23", "-3.23", "–"),
        ("", "maple", "harmonic mean", "80.61", "82.35", "-1.74", "–"),
    ]
    (own,) = tables(measured)
    assert not any("94.07" in cell for line in own.rows for cell in line)


def test_what_others_used_beyond_the_few_images_is_said() -> None:
    assert "language model" in found("base-to-novel", "hicropl", AVERAGE).beyond
    assert "each data set" in found("base-to-novel", "mmrl", AVERAGE).beyond
    assert "which classes are base" in found("base-to-novel", "mmrl", AVERAGE).beyond
    assert not found("base-to-novel", "tcp", AVERAGE).beyond
    assert "three of the data sets" in found("few-shot", "prograd", AVERAGE).beyond


def test_the_average_stands_beside_the_average_of_the_same_data_sets_alone() -> None:
    whole = rows("base-to-novel", {data: {"base": 820, "novel": 750} for data in BENCHMARK})
    (table,) = beside_published(whole)
    assert [line[:6] for line in table.rows[-3:]] == [
        ("average", "maple", "base", "82.00", "82.28", "-0.28"),
        ("", "maple", "novel", "75.00", "75.14", "-0.14"),
        ("", "maple", "harmonic mean", "78.34", "78.55", "-0.21"),
    ]
    more = rows("base-to-novel", {"digits": {"base": 10, "novel": 10}})
    (with_more,) = beside_published([*whole, *more])
    assert with_more.rows == table.rows
    assert "lack" not in table.caption
    (table,) = beside_published(whole[2:])
    assert "average" not in [line[0] for line in table.rows]
    assert "the results lack some of these: caltech101, imagenet." in table.caption


def test_transfers_and_shots_have_to_fit() -> None:
    def moved(target: str, **more) -> list[Row]:
        return rows("domain", {more.pop("source", "imagenet"): {"all": 500}}, target=target, **more)

    (table,) = beside_published([*moved("imagenet_a"), *moved("")])
    assert [line[:6] for line in table.rows] == [
        ("imagenet", "maple:default", "accuracy", "50.00", "70.72", "-20.72"),
        ("imagenet_a", "maple:default", "accuracy", "50.00", "50.90", "-0.90"),
    ]
    assert beside_published(moved("imagenet_a", source="things")) == []
    assert beside_published(moved("imagenet_a", shots=4)) == []
    shots = [row for count in (1, 16) for row in rows("few-shot", {d: {"all": 800} for d in BENCHMARK}, shots=count)]
    (table,) = beside_published(shots)
    assert [line[2:5] for line in table.rows] == [("1 shot", "80.00", "69.27"), ("16 shots", "80.00", "81.79")]


def test_a_variant_has_numbers_of_its_own() -> None:
    data = {name: {"all": 800} for name in BENCHMARK}
    (variant,) = beside_published(rows("few-shot", data, "tip_adapter", options=(("trained", True),)))
    assert [line[4] for line in variant.rows] == ["81.15"]
    (plain,) = beside_published(rows("few-shot", data, "tip_adapter"))
    assert plain.rows and "81.15" not in [line[4] for line in plain.rows]


def test_nothing_fits_embedded_data() -> None:
    assert beside_published(rows("base-to-novel", {"digits": {"base": 1, "novel": 1}})) == []


def test_published_data_sets_are_ones_that_can_be_read() -> None:
    named = {data for table in published() for data in table.numbers} - {AVERAGE}
    assert named <= set(dataset_names())
    assert {
        target for found in ("cross-dataset", "domain") for target in protocol(found).targets_of("imagenet")
    } <= named
