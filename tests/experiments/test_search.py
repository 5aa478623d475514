from dataclasses import replace

import pytest

from bmip.experiments.method_trial import method_trial
from bmip.experiments.results import Row
from bmip.experiments.search import best_presets, search_trials
from bmip.metrics import Count
from bmip.run_spec import settings
from tests.experiments.making import a_trial, replaced


def row(lr: float, data: str, seed: int, right: int, trainable: int = 5) -> Row:
    training = settings({"lr": lr, "epochs": 2, "precision": "bfloat16"})
    trial = a_trial(protocol="validation", method="bmip", data=data, data_seed=seed, init_seed=seed, training=training)
    count = Count(right, 100)
    return Row(
        trial=trial,
        counts={"base": count, "novel": count},
        trainable=trainable,
        training_seconds=1.0,
        evaluation_seconds=0.0,
        time="2026-01-02T03:04:05+00:00",
        backbone="b",
        split=data,
    )


def test_the_best_on_all_data_sets_and_seeds() -> None:
    rows = [row(lr, data, seed, right) for lr, right in ((0.1, 60), (0.2, 70)) for data in "xy" for seed in (1, 2)]
    found = best_presets(rows)["bmip"]
    assert found.training == {"lr": 0.2, "epochs": 2}
    assert found.source == (
        "best of 2 settings by harmonic mean on validation images (70.0 %): lr 0.1, 0.2; x, y; seeds 1, 2; 16 shots; "
        "backbone x (b)"
    )
    assert best_presets([row(0.1, "x", 1, 60, trainable=0)]) == {}


def test_settings_are_compared_on_the_same_data() -> None:
    most = [row(0.1, "x", 1, 50), row(0.1, "y", 1, 50)]
    assert best_presets([*most, row(0.2, "x", 1, 90)])["bmip"].training["lr"] == 0.1
    assert best_presets([row(0.1, "x", 1, 50), row(0.2, "y", 1, 90)]) == {}


def test_the_edge_of_a_grid_is_named() -> None:
    rows = [row(lr, "x", 1, right) for lr, right in ((0.1, 60), (0.2, 70), (0.4, 80))]
    assert best_presets(rows)["bmip"].source.endswith("; lr 0.4 is the edge")
    assert "edge" not in best_presets([*rows, row(0.8, "x", 1, 70)])["bmip"].source


def test_options_that_were_tried_are_named() -> None:
    """Points that leave an option alone have its default."""
    deep = row(0.1, "x", 1, 90)
    deep = replace(deep, trial=replaced(deep.trial, options=settings(depth=3)))
    found = best_presets([row(0.1, "x", 1, 60), deep])["bmip"]
    assert found.options == {"depth": 3} and "depth 3, 9; x; seeds 1" in found.source


def test_every_seed_of_a_start_counts() -> None:
    again = row(0.1, "x", 1, 60)
    again = replace(again, trial=replaced(again.trial, init_seed=2))
    found = best_presets([row(0.1, "x", 1, 60), again, row(0.2, "x", 1, 90)])
    assert found["bmip"].training["lr"] == 0.1, "the better rate lacks one start"


def test_of_equally_good_points_the_shortest_is_taken() -> None:
    """Also where a method counts in steps, and its rows say nothing of epochs."""
    rows = [row(0.1, "x", 1, 60), row(0.2, "x", 1, 60)]
    for steps, epochs, chosen in ((0, 3, 0.1), (500, 0, 0.1)):
        said = {"lr": 0.2, **({"epochs": epochs} if epochs else {"steps_per_shot": steps})}
        longer = replace(rows[1], trial=replaced(rows[1].trial, training=settings(said)))
        assert best_presets([rows[0], longer])["bmip"].training["lr"] == chosen


def test_rows_that_cannot_be_compared_are_refused() -> None:
    other = replace(row(0.2, "x", 1, 70), backbone="another")
    with pytest.raises(ValueError, match="bmip has rows of several backbones or numbers of shots"):
        best_presets([row(0.1, "x", 1, 60), other])


def test_every_method_trains_for_the_epochs_of_the_grid() -> None:
    """CLIP-LoRA's own settings count steps; its weight decay stays."""
    lora = method_trial("clip-lora", "default", backbone="embedded")
    assert dict(lora.training)["steps_per_shot"] == 500
    (trial,) = search_trials([lora], ["digits"], [1], lrs=[0.01], epochs=[3])
    found = dict(trial.run.training)
    assert "steps_per_shot" not in found and found["epochs"] == 3 and found["weight_decay"] == 0.01
