import pytest
from rich.console import Console

from bmip.training import progress
from bmip.training.progress import Tick, progress_bar

TICK = Tick(epoch=2, epochs=5, step=3, steps=10, loss=0.4567, val_accuracy=81.25)


def test_the_bar_tells_where_training_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "Console", lambda **given: Console(force_terminal=True, width=120, **given))
    with progress_bar("bmip on pets") as tell:
        tell(TICK)
    shown = capsys.readouterr()
    assert not shown.out
    for part in ("bmip on pets", "epoch 2/5", "loss 0.457", "val 81.2 %"):
        assert part in shown.err


def test_no_bar_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as tell:
        tell(TICK)
    assert capsys.readouterr() == ("", "")
