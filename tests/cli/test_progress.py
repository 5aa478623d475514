"""What is printed while trials run, where stderr is no terminal."""

import pytest

from bmip.cli.progress import watching
from bmip.training.progress import Tick
from tests.experiments.making import a_trial


def test_a_training_that_goes_on_says_at_which_epoch(capfd: pytest.CaptureFixture[str]) -> None:
    fresh, interrupted = (a_trial(method="bmip", data=name) for name in ("x", "y"))
    with watching() as listener:
        listener.plan(2)
        for trial, first in ((fresh, 1), (interrupted, 3)):
            listener.begin(trial)
            for epoch in (first, first + 1):
                listener.tick(trial, Tick(epoch, 9, 1, 1, 0.5, None))
    assert capfd.readouterr().err.splitlines() == [
        "y bmip, 16 shots, seeds 1/1: its training was interrupted and goes on at epoch 3"
    ]
