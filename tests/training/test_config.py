import pytest
import torch

from bmip.training import TrainConfig, learning_rate
from bmip.training.config import build_optimizer


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
    ],
    ids=["maple", "bmip", "no warm-up", "two epochs of warm-up"],
)
def test_learning_rates_of_the_released_code(config: TrainConfig, rates: list[float]) -> None:
    """Given to the four digits of the published sequences."""
    assert [learning_rate(epoch, config) for epoch in range(len(rates))] == pytest.approx(rates, rel=1.2e-3)


def test_adam_adds_the_decay_to_the_gradient() -> None:
    """Two steps against the formula; decoupled decay (AdamW) would give another result."""
    start, grads, config = 0.7, [0.3, -0.1], TrainConfig(optimizer="adam", lr=0.01, weight_decay=0.1)
    tensor = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = build_optimizer([tensor], config)
    x, m, v = start, 0.0, 0.0
    for step, grad in enumerate(grads, start=1):
        tensor.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
        g = grad + 0.1 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.01 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
    assert tensor.item() == pytest.approx(x, rel=1e-12)


def test_sgd_has_plain_momentum() -> None:
    tensor = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
    optimizer = build_optimizer([tensor], TrainConfig(lr=0.1, weight_decay=0.01))
    x, velocity = 0.7, 0.0
    for grad in (0.3, -0.1, 0.2):
        tensor.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step()
        velocity = 0.9 * velocity + grad + 0.01 * x
        x -= 0.1 * velocity
    assert tensor.item() == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"optimizer": "adamw"}, "optimizer is 'adamw'; it must be one of sgd, adam"),
        ({"selection": "best"}, "selection is 'best'"),
        ({"precision": "fp16"}, "precision is 'fp16'"),
        ({"epochs": 0}, "epochs is 0; it must be a number and at least 1"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": -0.1}, "lr is -0.1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict, told: str) -> None:
    config = TrainConfig()
    for name, value in wrong.items():
        object.__setattr__(config, name, value)  # past the type checker of the tests
    with pytest.raises(ValueError, match=told):
        config.__post_init__()
