"""Progress bars of downloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from bmip.cli.console import err, note
from bmip.data.public.prepare import Fetching


@contextmanager
def transfers() -> Iterator[Fetching]:
    """Yields what `prepare` calls for each file that it fetches; bars are shown on a terminal only."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:

        def fetching(name: str):
            note(f"fetching {name}")
            task = bars.add_task(name, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield fetching
