"""python -m benchmarks: measure what is not yet measured, and write the tables of benchmarks/README.md.

Each cell runs in a process of its own, and its result is kept in benchmarks/results-DEVICE.json together with a
fingerprint of the code: a run that was stopped goes on, and what the code of today has already measured on this
machine is not measured again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import attention, methods, parity, report, step
from benchmarks.machine import describe

HERE = Path(__file__).parent
ROOT = HERE.parent
MEASURED = (
    "src/bmip/clip/*.py",
    "src/bmip/methods/**/*.py",
    "src/bmip/prompting/*.py",
    "benchmarks/*.py",
)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.cell:
        effort = step.QUICK if options.quick else step.Effort()
        try:
            print(json.dumps(_measure(options.cell, effort)))
        except step.TooLittleMemory as reason:
            print(json.dumps({"left out": str(reason)}))
        return 0
    store = HERE / f"results-{options.device}.json"
    kept = json.loads(store.read_text()) if store.exists() and not options.fresh else {}
    wanted = [cell for cell in _cells(options) if any(f"{part}/" in f"{cell}/" for part in options.only or [cell])]
    if not options.tables:
        for number, cell in enumerate(wanted, 1):
            mark = {"code": fingerprint(), "machine": describe(options.device), "quick": options.quick}
            known = kept.get(cell, {})
            if all(known.get(key) == value for key, value in mark.items()) and "left out" not in known["found"]:
                continue
            print(f"[{number}/{len(wanted)}] {cell}", file=sys.stderr, flush=True)
            start, load = time.time(), os.getloadavg()[0]
            command = [sys.executable, "-m", "benchmarks", "--cell", cell, *(["--quick"] if options.quick else [])]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
                print(f"    failed: {last}", file=sys.stderr)
                found: dict[str, Any] = {"left out": last[:200]}
            else:
                found = json.loads(done.stdout.splitlines()[-1])
            kept[cell] = {**mark, "load": load, "took": time.time() - start, "found": found}
            _write(store, json.dumps(kept, indent=1) + "\n")
    if kept:
        report.write(HERE / "README.md", options.device, kept)
    return 0


def fingerprint() -> str:
    whole = hashlib.sha256()
    for pattern in MEASURED:
        for file in sorted(ROOT.glob(pattern)):
            if file.name not in ("report.py", "__main__.py"):
                whole.update(file.read_bytes())
    return whole.hexdigest()[:16]


def _cells(options: argparse.Namespace) -> list[str]:
    device, quick = options.device, options.quick
    return [
        *attention.cells(device, quick=quick),
        *parity.cells(device),
        *step.cells(device, quick=quick),
        *methods.cells(device),
    ]


def _measure(cell: str, effort: step.Effort) -> dict[str, Any]:
    if cell.startswith(("attention/", "look/")):
        return attention.measure(cell, seconds=0.1 if effort is step.QUICK else 0.25)
    if cell.startswith("parity/"):
        return parity.measure(cell)
    if cell.startswith("methods/"):
        return methods.measure(cell, effort.method_rounds)
    return step.measure(cell, effort)


def _write(file: Path, text: str) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed and memory beside a plain implementation; write the tables of benchmarks/README.md.",
        epilog="Examples: python -m benchmarks --only step/cpu1/float32 attention; python -m benchmarks --only methods",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="few rounds, one thread, float32 only: some minutes")
    parser.add_argument("--only", nargs="+", metavar="PART", help="cells whose name holds one of these, up to a slash")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results of this device")
    parser.add_argument("--tables", action="store_true", help="measure nothing; write the tables anew")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
