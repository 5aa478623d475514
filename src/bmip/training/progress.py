"""What a run tells while it trains, and a bar that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@dataclass(frozen=True)
class Tick:
    """A step that was made."""

    epoch: int
    """Counted from 1."""
    epochs: int
    step: int
    """Counted from 1."""
    steps: int
    """In each epoch."""
    loss: float
    val_accuracy: float | None
    """In percent, of the last epoch that was judged."""


@contextmanager
def progress_bar(label: str = "training") -> Iterator[Callable[[Tick], None]]:
    """A bar on stderr, shown where that is a terminal."""
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
