from collections.abc import Sequence

import pytest

from bmip.testing import tiny_dataset
from bmip.training.config import TrainConfig
from bmip.training.epoch_selection import check_selection, concluded, finished, selected
from bmip.training.history import EpochMetrics


def run(accuracies: Sequence[float], config: TrainConfig) -> tuple[EpochMetrics, ...]:
    """The epochs that are trained when these are the accuracies of each."""
    epochs: tuple[EpochMetrics, ...] = ()
    while not finished(epochs, config):
        done = len(epochs)
        epochs += (EpochMetrics(done + 1, 0.1, {"cross_entropy": 1.0}, 50.0, float(accuracies[done]), 1.0),)
    return epochs


@pytest.mark.parametrize(
    ("accuracies", "trained", "kept"),
    [
        ([10, 20, 30, 40, 50, 60, 70, 80, 90, 95], 10, 10),
        ([10, 20, 30, 30, 30, 30, 30, 99, 99, 99], 7, 3),  # equal is not better
        ([90, 1, 1, 1, 1, 1, 1, 1, 1, 99], 5, 1),  # patience ran out with the fifth
        ([10, 90, 1, 1, 1, 1, 1, 1, 1, 99], 6, 2),
        ([10, 20, 20.005, 20, 20, 20, 20, 99, 99, 99], 7, 3),  # however small, a gain is recorded
        ([10, 90, 1, 1, 1, 91, 1, 1, 1, 92], 10, 10),  # a gain in the last moment
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 5, 1),
    ],
)
def test_best_val(accuracies: list[float], trained: int, kept: int) -> None:
    config = TrainConfig(epochs=10, selection="best-val", patience=4, min_epochs=5)
    history = concluded(run(accuracies, config), config, averaged=False)
    assert (len(history.epochs), history.kept, history.stopped_early) == (trained, kept, trained < 10)


def test_best_val_does_not_stop_early_on() -> None:
    config = TrainConfig(epochs=10, selection="best-val", patience=1, min_epochs=5)
    assert len(run([50] + [1] * 9, config)) == 5
    assert len(run([50, 1, 1, 1, 60, 1, 99, 99, 99, 99], config)) == 6


def test_last_ignores_validation() -> None:
    config = TrainConfig(epochs=8, patience=1, min_epochs=0)
    history = concluded(run([50] + [1] * 7, config), config, averaged=False)
    assert (len(history.epochs), history.kept, history.stopped_early) == (8, 8, False)


def test_epochs_that_were_not_validated_select_nothing() -> None:
    assert selected([EpochMetrics(1, 0.1, {}, 50.0, None, 1.0)]).best is None


def test_best_val_needs_validation_images_of_its_own() -> None:
    config = TrainConfig(selection="best-val")
    check_selection(config, tiny_dataset())
    with pytest.raises(ValueError, match=r"colours is validated on its test split.*use selection 'last'"):
        check_selection(config, tiny_dataset(val_is_test=True))
    with pytest.raises(ValueError, match="colours has no validation images"):
        check_selection(config, tiny_dataset(val=False))
    check_selection(TrainConfig(), tiny_dataset(val=False))
