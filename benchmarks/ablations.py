"""What each of BMIP's options does, on embedded data sets.

    python -m benchmarks.ablations runs/ablations

Prints the tables of docs/ablations.md. Every choice is trained with BMIP's `embedded` settings, with bfloat16 products,
on the base classes. Choices are compared on validation images; the test images are classified once, with the same
prompts. What is done is kept in the folder and not repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from bmip.data.batches import EvalBatches
from bmip.data.dataset import Dataset, Split
from bmip.data.sampling import split_base_novel
from bmip.data.transforms import normalise
from bmip.evaluation.evaluate import evaluate
from bmip.experiments.method_trial import method_trial
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import run_trials
from bmip.experiments.trial import Trial
from bmip.metrics import harmonic_mean, summarise
from bmip.prompting.model import PromptedCLIP
from bmip.training.checkpoint import from_pretrained

DATA = ("digits", "clothes")
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
    },
    "direction": {"text to image": {"direction": "to-image"}, "image to text": {"direction": "to-text"}},
    "projections": {"one for each layer": {"shared_projection_to_text": False, "shared_projection_to_image": False}},
    "tokens, text + image": {
        "1 + 1": {"slots": 1},
        "4 + 4": {"slots": 4},
        "2 + 4": {"image_slots": 4},
    },
    "depth, text + image": {
        "1 + 1": {"depth": 1},
        "3 + 3": {"depth": 3},
        "12 + 12": {"depth": 12},
        "9 + 1": {"image_depth": 1},
        "1 + 9": {"depth": 1, "image_depth": 9},
    },
}


Accuracies = tuple[float, float]
"""On base and on novel classes, in percent."""


class Study:
    """Trains every choice once; what is done is kept in the folder."""

    def __init__(self, runs: Path) -> None:
        self.runs, self.resources, self.store = runs, Resources(), Results(runs / "results.jsonl")

    def rows(self, options: Mapping[str, Any]) -> list[Row]:
        choice = method_trial("bmip", options=options, training={"precision": "bfloat16"}, data=DATA)
        trials = protocol("base-to-novel").trials(DATA, [choice], SEEDS)
        return run_trials(trials, self.store, runs=self.runs, resources=self.resources)

    def model(self, trial: Trial) -> PromptedCLIP:
        clip = self.resources.clip_for(trial.run)
        return from_pretrained(self.runs / trial.run.folder, clip)

    def on_validation(self, trial: Trial) -> Accuracies:
        model, halves = self.model(trial), split_base_novel(self.resources.dataset(trial.run.data, trial.run.read))
        base, novel = (evaluate(model, _val(half), half.classes).accuracy for half in halves)
        return base, novel

    def moved(self, trial: Trial) -> float:
        """How far the image gates tell images apart: the standard deviation of their weights over validation images."""
        model, images = self.model(trial), _val(self.resources.dataset(trial.run.data, trial.run.read))
        config = model.clip.config
        pixels, _ = next(iter(EvalBatches(images, config.image_size, batch=200)))
        weights: list[Tensor] = []
        for gate in model.prompter.image_gates:
            gate.register_forward_hook(lambda *given: weights.append(given[2]))
        model.image_features(normalise(pixels.to(model.clip.device), config.mean, config.std))
        return fmean(float(w.std(0).mean()) if len(w) > 1 else 0.0 for w in weights)


def _val(dataset: Dataset) -> Split:
    if dataset.val is None:
        raise ValueError(f"{dataset.name} has no validation images: choose a data set that has")
    return dataset.val


def by_seed(found: Mapping[Trial, Accuracies]) -> list[Accuracies]:
    """Base and novel accuracy of each seed, each the mean over the data sets."""
    seeds = [[pair for trial, pair in found.items() if trial.run.data_seed == seed] for seed in SEEDS]
    return [(fmean(base for base, _ in pairs), fmean(novel for _, novel in pairs)) for pairs in seeds]


def line(words: str, rows: Sequence[Row], study: Study) -> str:
    on_test = by_seed({row.trial: (row.counts["base"].percent, row.counts["novel"].percent) for row in rows})
    on_validation = by_seed({row.trial: study.on_validation(row.trial) for row in rows})
    columns = [
        [harmonic_mean(*pair) for pair in on_validation],
        [base for base, _ in on_test],
        [novel for _, novel in on_test],
        [harmonic_mean(*pair) for pair in on_test],
    ]
    cells = [f"{found.mean:.1f} ± {found.margin:.1f}" for found in map(summarise, columns)]
    return f"| {words} | {' | '.join(cells)} | {rows[0].trainable:,} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder for the trainings and their results")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    study = Study(arguments.runs)
    print(
        "| choice | validation: harmonic mean | test: base | test: novel | test: harmonic mean | trainable parameters |"
    )
    print("|---|---|---|---|---|---|")
    for group, choices in CHOICES.items():
        for words, options in choices.items():
            print(line(f"{group}: {words}" if group else words, study.rows(options), study), flush=True)
    print("\n| what the gate reads | gate weights move by |\n|---|---|")
    for words, options in (CHOICES[""] | CHOICES["what the gate reads"]).items():
        print(f"| {words} | {fmean(study.moved(row.trial) for row in study.rows(options)):.4f} |", flush=True)


if __name__ == "__main__":
    main()
