from dataclasses import asdict

import pytest
import torch

from bmip.experiments.method_trial import method_trial
from bmip.experiments.presets import presets
from bmip.methods import method_names
from bmip.training.config import TrainConfig, in_epochs, learning_rate


@pytest.mark.parametrize(
    ("config", "rates"),
    [
        (TrainConfig(lr=0.0035, epochs=5), [1e-5, 3.5e-3, 3.166e-3, 2.291e-3, 1.209e-3]),
        (
            TrainConfig(lr=0.002, epochs=10),
            [1e-5, 2e-3, 1.951e-3, 1.809e-3, 1.588e-3, 1.309e-3, 1e-3, 6.91e-4, 4.12e-4, 1.91e-4],
        ),
        (TrainConfig(lr=0.1, epochs=3, warmup_epochs=0), [0.1, 0.075, 0.025]),
        (TrainConfig(lr=0.1, epochs=4, warmup_epochs=2), [1e-5, 1e-5, 0.1, 0.1 / 2 * (1 + 2**-0.5)]),
        (TrainConfig(lr=0.1, epochs=1), [0.1]),
    ],
    ids=["maple", "bmip", "no warm-up", "two epochs of warm-up", "a single epoch is no warm-up"],
)
def test_learning_rates_of_the_released_code(config: TrainConfig, rates: list[float]) -> None:
    """Given to the four digits of the published sequences."""
    assert [learning_rate(epoch, config) for epoch in range(len(rates))] == pytest.approx(rates, rel=1.2e-3)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"optimizer": "lion"}, "optimizer is 'lion'; it must be one of sgd, adam, adamw"),
        ({"selection": "best"}, "selection is 'best'"),
        ({"precision": "fp16"}, "precision is 'fp16'"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number and at least 1"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": -0.1}, "lr is -0.1"),
        ({"epochs": 1.5}, "epochs is 1.5; it must be a whole number and at least 1"),
        ({"epochs": True}, "epochs is True; it must be a whole number"),
        ({"batch": "4"}, "batch is '4'; it must be a whole number and at least 1"),
        ({"patience": None}, "patience is None"),
        ({"warmup_epochs": 0.5}, "warmup_epochs is 0.5; it must be a whole number and at least 0"),
        ({"lr": "0.1"}, "lr is '0.1'; it must be a number and at least 0"),
        ({"momentum": False}, "momentum is False; it must be a number"),
        ({"optimizer": []}, r"optimizer is \[\]"),
        (
            {"epochs": 2, "warmup_epochs": 50},
            "warmup_epochs is 50 and epochs is 2, so no epoch .* warmup_epochs to at most 1",
        ),
        ({"epochs": 1, "warmup_epochs": 1}, "set warmup_epochs to at most 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict, told: str) -> None:
    config = TrainConfig()
    for name, value in wrong.items():
        object.__setattr__(config, name, value)  # past the type checker of the tests
    with pytest.raises(ValueError, match=told):
        config.__post_init__()


def test_a_whole_number_will_do_where_a_number_is_needed() -> None:
    config = TrainConfig()
    object.__setattr__(config, "lr", 1)  # past the type checker of the tests
    config.__post_init__()


def test_the_default_warm_up_is_written_down() -> None:
    assert [asdict(TrainConfig(epochs=count))["warmup_epochs"] for count in (1, 2, 200)] == [0, 1, 1]


def test_no_preset_is_trained_with_a_warm_up_of_its_own_making() -> None:
    """A default that depends on the epochs must leave what is released as it was: one epoch, and five for ProDA."""
    for method in method_names():
        for preset in presets(method).values():
            assert TrainConfig(**preset.training).warmup_epochs == preset.training.get("warmup_epochs", 1)


@pytest.mark.parametrize(
    ("shots", "images", "epochs"), [(16, 1600, 160), (16, 16_000, 16), (16, 752, 348), (1, 2, 500)]
)
def test_steps_of_each_shot_are_whole_epochs(shots: int, images: int, epochs: int) -> None:
    """500 steps a shot (CLIP-LoRA) in batches of 32: exact for 100 and 1000 classes, within half an epoch for 47."""
    steps = max(1, images // 32)
    config = in_epochs(TrainConfig(steps_per_shot=500), shots=shots, steps=steps)
    assert config.epochs == epochs and abs(epochs * steps - 500 * shots) <= steps / 2
    assert in_epochs(TrainConfig(epochs=7), shots=shots, steps=steps) == TrainConfig(epochs=7)


def test_a_rate_that_falls_after_every_step_is_torchs() -> None:
    config, steps = TrainConfig(lr=2e-4, final_lr=1e-6, epochs=3, warmup_epochs=0, schedule="step"), 4
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=config.lr)
    gold = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3 * steps, eta_min=config.final_lr)
    for count in range(3 * steps):
        found = learning_rate(count // steps, config, done=count % steps / steps)
        assert found == pytest.approx(gold.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        gold.step()


def test_epochs_that_are_given_replace_steps_for_each_shot() -> None:
    preset = dict(method_trial("clip-lora", backbone="x").training)
    given = dict(method_trial("clip-lora", training={"epochs": 3}, backbone="x").training)
    assert preset["steps_per_shot"] == 500 and "epochs" not in preset
    assert given == {**{name: value for name, value in preset.items() if name != "steps_per_shot"}, "epochs": 3}


def test_epochs_that_follow_from_steps_may_be_fewer_than_they_say() -> None:
    config = TrainConfig(steps_per_shot=500, warmup_epochs=10, epochs=10)
    assert in_epochs(config, shots=16, steps=40).epochs == 200
    assert in_epochs(config, shots=1, steps=500).epochs == 11, "the warm-up and one more"
