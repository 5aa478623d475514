"""The tables say what was measured, what was extrapolated and which target is missed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import torch

from benchmarks import methods, report, step
from tests.benchmarks.test_plain import TINY

DEEP = replace(TINY, image_layers=9, text_layers=9)
TWELVE = replace(TINY, image_layers=12, text_layers=12)
MACHINE = {"processor": "P", "cores": "2", "memory": "9 GB", "torch": "2", "python": "3", "system": "S"}


def kept(**found: object) -> report.Kept:
    mark = {"code": "c", "machine": MACHINE, "quick": False, "load": 0.5}
    return {name.replace("_", "/", 4): {**mark, "found": each} for name, each in found.items()}


def times(*seconds: float) -> dict[str, list[float]]:
    return {"wall": list(seconds), "cpu": list(seconds)}


def test_targets_and_extrapolation() -> None:
    steps = {
        "step_cpu1_float32_10": {"ours": times(1, 1), "floor": times(1, 1), "plain": times(2.0)},
        "step_cpu1_float32_100": {
            "ours": times(4, 4), "floor": times(2, 2), "constant gate": times(3.9, 3.9), "plain": times(20.0),
        },
        "step_cpu1_float32_500": {"ours": times(10.0), "floor": times(9.0)},
        "memory_cpu1_float32_500_ours": {"peak": 2e9, **times(10.0)},
        "memory_cpu1_float32_50_plain": {"peak": 3e9, **times(10.0)},
        "memory_cpu1_float32_100_plain": {"peak": 5e9, **times(10.0)},
        "memory_cpu1_float32_500_plain": {"left out": "9 GB are free"},
    }  # fmt: skip
    text = report.tables("cpu", kept(**steps))
    assert "| step at 100 classes, in floors: at most 1.5 | 2.00 **missed** |  |" in text
    assert "| plain step / ours at 100 classes: at least 4.5 | 5.0 met |  |" in text
    assert (
        "| plain step / ours at 500 classes: at least 8 | 10.0 met |  |" in text
    )  # 2 s and 20 s lie on a line to 100 s
    assert "| ~100 | ~10.0 |" in text
    assert "| peak memory at 500 classes, in plain ones: at most 0.25 | 0.10 met |  |" in text  # 1 GB + 40 MB each
    assert "| what the gate's look adds at 100 classes: at most 5 % | 2.6 % met |  |" in text
    assert "- `memory/cpu1/float32/500/plain`: 9 GB are free" in text


def test_tables_stay_in_their_place(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("# Benchmarks\n\nfirst\n\n<!-- tables cpu -->\nold\n<!-- end cpu -->\n\nlast\n")
    report.write(file, "cpu", kept(parity={"left out": "why"}))
    report.write(file, "cpu", kept(parity={"left out": "why not"}))
    text = file.read_text()
    assert text.startswith("# Benchmarks\n\nfirst\n\n<!-- tables cpu -->\n## On a CPU")
    assert text.endswith("- `parity`: why not\n<!-- end cpu -->\n\nlast\n")
    assert "old" not in text


def test_rows_of_methods() -> None:
    text = report.tables(
        "cpu",
        kept(
            methods_cpu1_float32_100_tcp={
                "trained": 331_904, "peak": 1.5e9, "step": times(6, 3), "floor": times(3, 2),
            },
            methods_cpu1_float32_100_linear_probe={"trained": 51_300, "peak": 1e9, "fit": times(20, 22)},
        ),
    )  # fmt: skip
    assert "| tcp | 331,904 | 4.5 (4.5) | 1.75 | 1.50 GB |" in text  # of each round its own ratio
    assert "| linear_probe | 21 (21) | 1.00 GB |" in text
    assert "mmrl" not in text, "what was not measured has no row"


@pytest.mark.parametrize("name", [*methods.STEPS, *methods.FITS])
def test_cells_of_methods_run(name: str) -> None:
    threads = torch.get_num_threads()
    try:
        with mock.patch.object(methods, "VIT_B_16", TWELVE):
            found = methods.measure(f"methods/cpu1/float32/5/{name}", rounds=1)
    finally:
        torch.set_num_threads(threads)
    measured = {"step", "floor"} if name in methods.STEPS else {"fit"}
    assert found.keys() == {"trained", "peak", *measured}
    assert all(seconds > 0 for each in measured for seconds in found[each]["cpu"])
    assert (found["trained"] > 0) == (name != "tip_adapter")  # a memory that is not trained


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_cells_run(precision: str) -> None:
    threads = torch.get_num_threads()
    try:
        with mock.patch.multiple(step, VIT_B_16=DEEP, CLASSES=(5,), LOOK_AT=5):
            stepped = step.measure(f"step/cpu1/{precision}/5", step.QUICK)
            evaluated = step.measure(f"evaluate/cpu1/{precision}", step.QUICK)
            remembered = step.measure(f"memory/cpu1/{precision}/50/ours", step.QUICK)
    finally:
        torch.set_num_threads(threads)
    assert stepped.keys() == {"ours", "plain", "floor", "constant gate"}
    assert all(seconds > 0 for seconds in stepped["ours"]["cpu"])
    assert evaluated.keys() == {
        f"{side} {who}" for side in ("images", "5 classes") for who in ("ours", "plain", "bare")
    }
    assert remembered["peak"] > 1e7
