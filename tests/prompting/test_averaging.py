import math

import pytest
import torch

from bmip.prompting.averaging import GaussianAverage, RunningMean


@pytest.mark.parametrize(("mean", "std", "epochs"), [(15.0, 1.0, 20), (6.0, 10.0, 4), (30.0, 30.0, 50), (4.5, 0.5, 7)])
def test_gaussian_weights(mean: float, std: float, epochs: int) -> None:
    """The settings of PromptSRC, against the normal density of epochs counted from 1."""
    average = GaussianAverage(mean, std)
    weights = [average.weight(epoch, epochs) for epoch in range(epochs)]
    density = [math.exp(-(((e - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)) for e in range(1, epochs + 1)]
    assert [w / sum(weights) for w in weights] == pytest.approx([d / sum(density) for d in density])


def test_a_mean_far_behind_the_last_epoch_still_weighs() -> None:
    average = GaussianAverage(100.0, 0.1)
    assert [average.weight(epoch, 3) for epoch in range(3)] == pytest.approx([0, 0, 1])


def test_a_deviation_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"is 0.0; it must be positive"):
        GaussianAverage(15.0, 0.0)


def test_running_mean() -> None:
    mean = RunningMean()
    for value, weight in ((1.0, 1.0), (2.0, 0.0), (4.0, 3.0)):
        mean.add({"a": torch.full((2,), value), "b": torch.tensor(-value)}, weight)
    found = mean.mean()
    assert found["a"].tolist() == [3.25, 3.25] and found["b"].item() == -3.25
    assert found["a"].dtype == torch.float32


def test_weights_that_make_no_mean_are_refused() -> None:
    mean = RunningMean()
    for weight in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="it must be finite and not negative"):
            mean.add({}, weight)
    with pytest.raises(ValueError, match="all epochs weigh 0"):
        mean.mean()
