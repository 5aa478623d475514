"""Estimates come from rows of the same run with other seeds, and otherwise from sizes."""

from collections.abc import Sequence
from dataclasses import replace

from bmip.experiments.results import Results, Row
from bmip.experiments.task import tasks_of
from bmip.experiments.trial import Trial
from bmip.run_spec import settings
from bmip.studies.estimate import Estimate, classes_of, estimates, measured_rate
from tests.experiments.making import a_trial, replaced
from tests.experiments.test_results import ROW


def estimate(trial: Trial, rows=()) -> Estimate:
    (found,) = estimates(tasks_of([trial], "runs", Results("r")), rows, rate=1e10)
    return found


KNOWN = a_trial(method="bmip", data="digits", backbone="embedded", classes="base")


def test_rows_of_other_seeds_say_how_long_it_takes() -> None:
    rows = [
        replace(
            ROW,
            trial=replaced(KNOWN, data_seed=seed),
            training_seconds=float(seed),
            evaluation_seconds=0.0,
            peak_memory=seed * 10**9,
        )
        for seed in (10, 20, 60)
    ]
    assert estimate(KNOWN, rows) == Estimate(20.0, 60.0, True)
    assert not estimate(replaced(KNOWN, shots=4), rows).measured
    assert not estimate(replaced(KNOWN, training=settings({"epochs": 3})), rows).measured


def test_one_training_serves_all_its_protocols_and_each_is_evaluated() -> None:
    joint = replace(KNOWN, protocol="open-world")
    rows = [
        replace(ROW, trial=replaced(trial, data_seed=7), training_seconds=20.0, evaluation_seconds=spent)
        for trial, spent in ((KNOWN, 3.0), (joint, 5.0))
    ]
    (found,) = estimates(tasks_of([KNOWN, joint], "runs", Results("r")), rows, rate=1e10)
    assert found.seconds == 28.0


def test_a_head_takes_time_though_its_parameters_come_with_the_images() -> None:
    trial = a_trial("few-shot", method="tip_adapter", data="digits", backbone="embedded")
    row = replace(ROW, trial=replaced(trial, data_seed=7), trainable=1280, training_seconds=5.0, evaluation_seconds=1.0)
    assert whole([trial]) > 0
    assert whole([trial], [row]) == 6.0
    assert whole([replaced(trial, shots=4)], [row]) > 0, "rows of other shots say nothing"


UNTRAINED = replaced(KNOWN, method="zero_shot")


def whole(trials: Sequence[Trial], rows: Sequence[Row] = ()) -> float:
    """The seconds of one task of these trials."""
    (found,) = estimates(tasks_of(trials, "runs", Results("r")), rows, rate=1e10)
    assert found.seconds is not None
    return found.seconds


def test_what_is_not_trained_is_evaluated_once_for_all_seeds_and_its_images_once_for_all_protocols() -> None:
    seeds = [replaced(UNTRAINED, data_seed=seed, init_seed=seed) for seed in (1, 2, 3)]
    assert whole(seeds) == whole(seeds[:1])
    joint = [replace(trial, protocol="open-world") for trial in seeds]
    assert whole(seeds) < whole([*seeds, *joint]) < 1.5 * whole(seeds), "class texts alone are computed again"
    few = [replaced(UNTRAINED, shots=shots, classes="all") for shots in (1, 2, 4)]
    assert whole([replace(trial, protocol="few-shot") for trial in few]) == whole(seeds)


def test_what_another_seed_has_evaluated_costs_nothing() -> None:
    """Its row is copied."""
    row = replace(ROW, trainable=0, training_seconds=0.0, peak_memory=None)
    first = replace(row, trial=UNTRAINED, evaluation_seconds=8.0)
    copy = replace(row, trial=replaced(UNTRAINED, data_seed=2, init_seed=2), evaluation_seconds=0.0)
    missing = [replaced(UNTRAINED, data_seed=seed, init_seed=seed, shots=4) for seed in (3, 4)]
    assert whole(missing, [first, copy]) == 0.0


def test_label_spaces_that_a_seed_draws_are_evaluated_for_each() -> None:
    sweep = [replace(replaced(UNTRAINED, data_seed=seed, init_seed=seed), protocol="ratio-sweep") for seed in (1, 2, 3)]
    rows = [
        replace(ROW, trial=replaced(sweep[0], data_seed=9), trainable=0, training_seconds=0.0, evaluation_seconds=2.0)
    ]
    assert whole(sweep, rows) == 6.0


def test_a_training_that_another_protocol_has_made_costs_nothing() -> None:
    row = replace(ROW, trial=KNOWN, trainable=9, training_seconds=20.0, evaluation_seconds=3.0)
    joint = replace(KNOWN, protocol="open-world")
    made = replace(row, trial=replaced(joint, data_seed=7), evaluation_seconds=5.0)
    assert whole([joint], [row, made]) == 5.0
    assert whole([joint], [made]) == 25.0
    assert whole([joint], [row]) < 0.5 * whole([joint])


def test_sizes_say_it_otherwise() -> None:
    def seconds(**changes) -> float:
        found = estimate(replaced(KNOWN, **changes)).seconds
        assert found is not None
        return found

    whole = seconds(training=settings({"epochs": 20}))
    assert seconds(training=settings({"epochs": 10})) < 0.6 * whole
    assert seconds(backbone="ViT-B/16") > 50 * seconds()
    assert seconds(method="zero_shot") < 0.5 * seconds()
    many = a_trial(method="bmip", data="imagenet", backbone="ViT-B/16")
    few = replaced(many, data="eurosat")
    assert (estimate(many).gigabytes or 0) > (estimate(few).gigabytes or 0) > 0.3


def test_what_is_not_known_is_not_guessed() -> None:
    assert estimate(replaced(KNOWN, data="own/images")) == Estimate(None, None, False)
    assert (classes_of("digits"), classes_of("imagenet"), classes_of("own/images")) == (10, 1000, None)


def test_the_rate_is_that_of_a_computer() -> None:
    assert 1e7 < measured_rate() < 1e15
