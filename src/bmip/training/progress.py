"""Progress of training: one event after each step, and a bar that shows it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich import progress
from rich.console import Console


@dataclass(frozen=True)
class Tick:
    """The progress event after a training step."""

    epoch: int
    """The number of the epoch, counted from 1."""

    epochs: int
    """The number of epochs that will be trained at most."""

    step: int
    """The number of the step in its epoch, counted from 1."""

    steps: int
    """The number of steps in each epoch."""

    loss: float
    """The loss before the step."""

    val_accuracy: float | None
    """The validation accuracy of the epoch before, in percent; None where there is none."""

    def show(self, bars: progress.Progress, task: progress.TaskID) -> None:
        """Shows the event on one of the bars that `progress_bars` made."""
        text = f"epoch {self.epoch}/{self.epochs}  loss {self.loss:.3f}"
        if self.val_accuracy is not None:
            text += f"  val {self.val_accuracy:.1f} %"
        done = (self.epoch - 1) * self.steps + self.step
        bars.update(task, completed=done, total=self.epochs * self.steps, text=text)


_WIDE = 80  # columns


def progress_bars(console: Console, *, transient: bool = False) -> progress.Progress:
    """Bars that are shown where the console is a terminal; each task has a description and a field `text`.

    The time left follows from the mean speed so far: what takes minutes each has no speed in rich's half minute. A
    narrow terminal shows it alone, without the time that has passed. With `transient` the bars vanish at the end.
    """
    passed = (progress.TimeElapsedColumn(),) if console.width >= _WIDE else ()
    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TextColumn("{task.fields[text]}", markup=False),
        *passed,
        progress.TimeRemainingColumn(),
        console=console,
        speed_estimate_period=math.inf,
        disable=not console.is_terminal,
        transient=transient,
    )


@contextmanager
def progress_bar(label: str = "training") -> Iterator[Callable[[Tick], None]]:
    """A progress bar on stderr, shown where that is a terminal; gives the function that takes the events."""
    with progress_bars(Console(stderr=True)) as bars:
        task = bars.add_task(label, total=None, text="")
        yield lambda tick: tick.show(bars, task)
