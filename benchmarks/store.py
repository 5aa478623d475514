"""Appending to and reading a file of 100,000 results, beside a store that reads the whole file each time: `store.md`.

python -m benchmarks.store
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.machine import describe
from bmip.experiments.results import Results, Row
from bmip.experiments.trial import Trial
from bmip.metrics import Count
from bmip.run_spec import RunSpec, settings
from bmip.system.environment import environment

SIZES = (1_000, 10_000, 100_000)
APPENDS, SLOW_APPENDS = 50, 5


def rows(count: int) -> list[Row]:
    """Rows of a large study: each has another pair of seeds, data set or method."""
    made_on = environment()
    options, training = settings(depth=9, slots=2), settings(epochs=10, lr=0.0025, batch=4)
    found = []
    for number in range(count):
        seed, place = divmod(number, 15 * 11)
        data, method = divmod(place, 15)
        run = RunSpec(
            method=f"method_{method}", data=f"data_{data}", classes="base", backbone="ViT-B/16",
            data_seed=seed + 1, init_seed=seed + 1, options=options, training=training,
        )  # fmt: skip
        scores = {f"{part}_{name}": 50.0 + place / 7 for part in ("base", "novel") for name in ("macro_f1", "top5")}
        found.append(
            Row(
                trial=Trial(protocol="base-to-novel", run=run),
                counts={"base": Count(1500 + place, 2000), "novel": Count(1200 + place, 2000)},
                scores=scores,
                trainable=3_555_072,
                training_seconds=431.25,
                evaluation_seconds=12.5,
                time="2026-01-02T03:04:05+00:00",
                peak_memory=3_221_225_472,
                backbone="5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
                split=f"{data:064x}",
                draw=f"{seed:064x}",
                environment=made_on,
            )
        )
    return found


def append_plainly(file: Path, row: Row) -> None:
    """Reads the whole file to see whether its last line was cut off."""
    with file.open("a+b") as stream:
        stream.seek(0)
        content = stream.read()
        end = content.rfind(b"\n") + 1
        if content[end:]:
            stream.truncate(end)
        stream.write(json.dumps(row.to_json()).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(file: Path, count: int) -> dict[str, float]:
    """Seconds of one append and of reading, with `count` rows in the file."""
    known = rows(count)
    file.write_bytes(b"".join(row.to_line() + b"\n" for row in known))
    store, next_seed = Results(file), 10**6

    def another() -> Row:
        nonlocal next_seed
        next_seed += 1
        return replace(known[0], trial=replace(known[0].trial, run=replace(known[0].trial.run, data_seed=next_seed)))

    found = {
        "append": statistics.median(seconds(lambda: store.append(another())) for _ in range(APPENDS)),
        "append, whole file read": statistics.median(
            seconds(lambda: append_plainly(file, another())) for _ in range(SLOW_APPENDS)
        ),
        "read": seconds(store.rows),
    }
    store.append(another())
    found["read again after one more row"] = seconds(store.rows)
    found["the same from the beginning"] = seconds(lambda: Results(file).rows())
    assert len(store.rows()) == count + APPENDS + SLOW_APPENDS + 1
    return found


def report() -> str:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        found = {count: measure(Path(folder) / f"{count}.jsonl", count) for count in SIZES}
        size = (Path(folder) / f"{SIZES[-1]}.jsonl").stat().st_size
    machine = describe("cpu")
    lines = [
        "# Store",
        "",
        f"Made by `python -m benchmarks.store` on {machine['cores']} cores, {machine['processor']}, "
        f"Python {machine['python']}. Milliseconds; of appends the median. Each append waits until the row is on the "
        f"disk. A file of {SIZES[-1]:,} rows has {size / 1e6:.0f} MB.",
        "",
        f"| rows in the file | {' | '.join(f'{count:,}' for count in SIZES)} |",
        f"|---|{'---:|' * len(SIZES)}",
        *(
            f"| {name} | {' | '.join(f'{1000 * found[count][name]:,.1f}' for count in SIZES)} |"
            for name in found[SIZES[0]]
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = report()
    (Path(__file__).parent / "store.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
