"""The training step of two methods in two states of the code, in turn: `between_commits.md`.

python -m benchmarks.between_commits COMMIT   # the package at that commit beside the present one

Each state has a process of its own that keeps everything in memory. A round is one step of each, one after the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

METHODS = ("bmip", "maple")
CLASSES, ROUNDS = 100, 15
ROOT = Path(__file__).parents[1]
WORKER = "--worker"


def answer() -> None:
    """Does a step of the method that a line names, and says the processor time that it took.

    It is put together anew here, of what the benchmarks of earlier states have as well.
    """
    import torch

    from benchmarks.class_names import class_names
    from benchmarks.contestants import BATCH, random_clip
    from bmip.class_names import ClassNames
    from bmip.experiments.parameter_counts import VIT_B_16
    from bmip.methods import build_model

    torch.set_num_threads(1)
    clip, names = random_clip(VIT_B_16, "float32"), ClassNames(class_names(CLASSES))
    pixels = torch.randn(BATCH, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(BATCH)

    def training(method: str) -> Callable[[], None]:
        model = build_model(method, {}, clip, names, seed=0)
        optimizer = torch.optim.Adam(model.trainable().values(), lr=0.002, weight_decay=5e-4)

        def step() -> None:
            optimizer.zero_grad()
            model.backward(model.losses([pixels] * model.views, labels).parts)
            optimizer.step()

        return step

    steps = {method: training(method) for method in METHODS}
    for line in sys.stdin:
        begun = time.process_time()
        steps[line.strip()]()
        print(time.process_time() - begun, flush=True)


class State:
    """The package and its benchmarks as they are in a folder, in a process that waits for a method's name."""

    def __init__(self, root: Path) -> None:
        places = os.pathsep.join([str(root / "src"), str(root)])
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), WORKER],
            env={**os.environ, "PYTHONPATH": places},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def step(self, method: str) -> float:
        assert self._process.stdin and self._process.stdout
        print(method, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def seconds(before: Path, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Of a step with the package in `before`, and with the present one; the first round is not counted."""
    with ExitStack() as stack:
        states = [stack.enter_context(State(root)) for root in (before, ROOT)]
        found = {method: ([], []) for method in METHODS}
        for turn in range(rounds + 1):
            for method, times in found.items():
                order = (0, 1) if turn % 2 else (1, 0)
                for index in order:
                    taken = states[index].step(method)
                    if turn:
                        times[index].append(taken)
    return found


def table(found: Mapping[str, tuple[list[float], list[float]]]) -> list[str]:
    lines = ["| | before | now | now / before | half of the rounds |", "|---|---:|---:|---:|---:|"]
    for method, (before, now) in found.items():
        low, middle, high = quantiles([b / a for a, b in zip(before, now, strict=True)], n=4, method="inclusive")
        lines.append(
            f"| {method} | {median(before):.2f} s | {median(now):.2f} s | {middle:.3f} | {low:.3f} to {high:.3f} |"
        )
    return lines


def called(commit: str) -> str:
    """The commit's short name and subject."""
    return subprocess.check_output(["git", "log", "-1", "--format=%h (%s)", commit], cwd=ROOT, text=True).strip()


def present() -> str:
    """What is measured as now: the last commit, and whether the package or the benchmarks were changed since."""
    ask = ["git", "status", "--porcelain", "--", "src", "benchmarks/*.py"]
    changed = subprocess.check_output(ask, cwd=ROOT, text=True)
    return f"{called('HEAD')}{' and uncommitted changes' if changed else ''}"


def report(commit: str) -> str:
    from benchmarks.machine import describe

    with tempfile.TemporaryDirectory() as name:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-x"], cwd=name, input=archive, check=True)
        found = seconds(Path(name), ROUNDS)
    machine = describe("cpu")
    lines = [
        "# A training step, before and after",
        "",
        f"Made by `python -m benchmarks.between_commits {commit}` on {machine['cores']} cores, {machine['processor']}, "
        f"torch {machine['torch']}.",
        "",
        f"Before: {called(commit)}  ",
        f"Now: {present()}",
        "",
        f"CLIP ViT-B/16 with random weights, float32, {CLASSES} classes, batches of 4; processor time of one thread, "
        f"the median of {ROUNDS} rounds. The two states take turns, and a ratio is of two consecutive steps.",
        "",
        *table(found),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if WORKER in sys.argv:
        answer()
    else:
        text = report(sys.argv[1])
        (Path(__file__).parent / "between_commits.md").write_text(text, encoding="utf-8")
        sys.stdout.write(text)
