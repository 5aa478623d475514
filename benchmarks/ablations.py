"""What each of BMIP's options does, on embedded data sets.

    python -m benchmarks.ablations runs/ablations

Prints the table of docs/ablations.md. Every choice is trained with BMIP's `embedded` settings on the base classes.
Choices are compared on validation images; the test images are judged once, with the same prompts. What is done is kept
in the folder and not repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from bmip.metrics import harmonic_mean, summarise
from bmip.protocols.catalogue import protocol
from bmip.protocols.runner import Materials, run_trials
from bmip.protocols.settings import method_trial
from bmip.protocols.trial import Trial
from bmip.results import Results, Row

DATA = ("digits", "signs")
SEEDS = (1, 2, 3, 4, 5)
CHOICES: dict[str, dict[str, Mapping[str, Any]]] = {
    "": {"default": {}},
    "gate": {
        "constant": {"gate": "constant"},
        "plain average": {"gate": "average"},
        "hard threshold at uniform attention": {"gate": "threshold"},
        "concatenation": {"gate": "concatenation"},
    },
    "what the gate reads": {
        "attention itself": {"gate_input": "raw"},
        "attention relative to uniform": {"gate_input": "relative"},
        "[end] of each class": {"text_gate": "class"},
        "image gate over the batch, as released": {"image_gate": "batch"},
        "start token, as released": {"text_gate": "start"},
    },
    "direction": {"text to image": {"direction": "to-image"}, "image to text": {"direction": "to-text"}},
    "projections": {"one for each layer": {"share_to_text": False, "share_to_image": False}},
    "tokens, text + image": {
        "1 + 1": {"slots": 1},
        "4 + 4": {"slots": 4},
        "4 + 2": {"slots": 4, "image_slots": 2},
        "2 + 4": {"image_slots": 4},
    },
    "depth, text + image": {
        "1 + 1": {"depth": 1},
        "3 + 3": {"depth": 3},
        "6 + 6": {"depth": 6},
        "12 + 12": {"depth": 12},
        "9 + 1": {"image_depth": 1},
        "1 + 9": {"depth": 1, "image_depth": 9},
    },
}


def trials(options: Mapping[str, Any], name: str) -> list[Trial]:
    return list(protocol(name).trials(DATA, [method_trial("bmip", options=options)], SEEDS))


def means(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Base and novel accuracy of each seed, each the mean over the data sets."""
    found = []
    for seed in SEEDS:
        own = [row for row in rows if row.trial.data_seed == seed]
        found.append(tuple(fmean(row.counts[part].percent for row in own) for part in ("base", "novel")))
    return found


def line(words: str, judged: Mapping[str, Sequence[Row]]) -> str:
    on_test, on_validation = means(judged["base-to-novel"]), means(judged["validation"])
    columns = [
        [harmonic_mean(*pair) for pair in on_validation],
        [base for base, _ in on_test],
        [novel for _, novel in on_test],
        [harmonic_mean(*pair) for pair in on_test],
    ]
    cells = [f"{found.mean:.1f} ± {found.margin:.1f}" for found in map(summarise, columns)]
    learned = judged["base-to-novel"][0].learned
    return f"| {words} | {' | '.join(cells)} | {learned:,} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder for the trainings and their results")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    materials, store = Materials(), Results(arguments.runs / "results.jsonl")
    print("| choice | validation: harmonic mean | test: base | test: novel | test: harmonic mean | trained values |")
    print("|---|---|---|---|---|---|")
    for group, choices in CHOICES.items():
        for words, options in choices.items():
            judged = {
                name: run_trials(trials(options, name), store, runs=arguments.runs, materials=materials)
                for name in ("validation", "base-to-novel")
            }
            print(line(f"{group}: {words}" if group else words, judged), flush=True)


if __name__ == "__main__":
    main()
