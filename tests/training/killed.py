"""Trains in child processes that are killed, and starts them again until they are through.

    python -m tests.training.killed FOLDER KIND

KIND is "every file": killed once, before each of the files is put in place; or "any step": killed again and again,
after a random number of steps.
Prints one line of JSON with the digests of the files, uninterrupted and interrupted.
"""

import hashlib
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from bmip.data.dataset import Dataset
from bmip.run_spec import RunSpec, settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.progress import Tick
from bmip.training.run import train

torch.set_num_threads(1)

KINDS = {
    "every file": RunSpec(
        method="bmip",
        options=settings(depth=2),
        training=settings(optimizer="adam", lr=0.01, epochs=3, batch=8, selection="best-val", patience=1, min_epochs=2),
    ),
    "any step": RunSpec(
        method="tests.training.regularised", training=settings(lr=0.01, epochs=6, batch=8, warmup_lr=0.01)
    ),
}


def main(folder: Path, kind: str) -> None:
    config, data = KINDS[kind], tiny_dataset()
    torch.optim.SGD([torch.zeros(1)]).step()  # loads a second's worth of modules, for all children
    once(config, data, folder / "whole")
    folders = [folder / "whole"]
    if kind == "every file":
        for place in range(_count_writes(config, data, folder / "counted")):
            folders.append(folder / f"killed-{place}")
            once(config, data, folders[-1], lambda place=place: _die_at(place))
            once(config, data, folders[-1])
    else:
        folders.append(folder / "killed-often")
        draws = random.Random(0)
        while not once(config, data, folders[-1], progress=_die_after(draws.randint(1, 7))):
            pass
    print(json.dumps({folder.name: digests(folder) for folder in folders}))


def once(
    config: RunSpec,
    data: Dataset,
    folder: Path,
    prepare: Callable[[], None] = lambda: None,
    progress: Callable[[Tick], None] | None = None,
) -> bool:
    """Train in a child process; whether it came to its end and was not killed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            prepare()
            train(config, tiny_clip(), data, folder, progress=progress)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError("the child failed")
    return os.WIFEXITED(status)


def _die_after(steps: int) -> Callable[[Tick], None]:
    """Kill this process after so many steps of its own."""
    ticks = iter(range(1, steps + 1))

    def tick(_: Tick) -> None:
        if next(ticks) == steps:
            os.kill(os.getpid(), signal.SIGKILL)

    return tick


def _die_at(place: int) -> None:
    """Kill this process when a file is written and not yet put in place."""
    count = 0
    replace = Path.replace

    def counted(self: Path, target: Path) -> Path:
        nonlocal count
        if count == place:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
        return replace(self, target)

    Path.replace = counted  # type: ignore[method-assign]


def _count_writes(config: RunSpec, data: Dataset, folder: Path) -> int:
    log = folder.with_suffix(".log")
    replace = Path.replace

    def noted(self: Path, target: Path) -> Path:
        with log.open("a") as stream:
            stream.write(f"{target.name}\n")
        return replace(self, target)

    def prepare() -> None:
        Path.replace = noted  # type: ignore[method-assign]

    once(config, data, folder, prepare)
    return len(log.read_text().splitlines())


def digests(folder: Path) -> dict[str, str]:
    """Of all files but the environment; the times in the metrics are left out."""
    found = {}
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        if file.name == "metrics.jsonl":
            rows = [json.loads(line) for line in content.splitlines()]
            content = json.dumps([{key: row[key] for key in row if key != "seconds"} for row in rows]).encode()
        if file.name != "environment.json":
            found[file.name] = hashlib.sha256(content).hexdigest()
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
