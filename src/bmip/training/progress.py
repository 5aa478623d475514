"""Progress of training: one event after each step, and a bar that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


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


@contextmanager
def progress_bar(label: str = "training") -> Iterator[Callable[[Tick], None]]:
    """A progress bar on stderr, shown where that is a terminal; gives the function that takes the events."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None, told="")

        def tell(tick: Tick) -> None:
            told = f"epoch {tick.epoch}/{tick.epochs}  loss {tick.loss:.3f}"
            if tick.val_accuracy is not None:
                told += f"  val {tick.val_accuracy:.1f}%"
            done = (tick.epoch - 1) * tick.steps + tick.step
            bar.update(task, completed=done, total=tick.epochs * tick.steps, told=told)

        yield tell
