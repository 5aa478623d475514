"""What each choice of BMIP's gates does, on validation images of the embedded data sets.

    python -m benchmarks.gates runs/gates

Prints the table of docs/fidelity.md. Trains every choice with the settings of BMIP's `embedded` preset; finished
trainings are kept in the folder and not repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from bmip.clip.load import load_clip
from bmip.clip.model import CLIP
from bmip.data.catalogue import load_dataset
from bmip.data.loading import EvalBatches
from bmip.data.sampling import base_novel, few_shot
from bmip.data.transforms import normalise
from bmip.evaluation import evaluate
from bmip.methods import load_method
from bmip.metrics import harmonic_mean, summarise
from bmip.presets import choose_preset
from bmip.prompted import PromptedCLIP
from bmip.runs import RunConfig, train
from bmip.training.optimisation import TrainConfig

DATA = ("digits", "signs", "textures")
SEEDS = (1, 2, 3)
CHOICES: dict[str, Mapping[str, Any]] = {
    "logarithm, relative to uniform (default)": {"gate_input": "log"},
    "relative to uniform": {"gate_input": "relative"},
    "attention itself": {"gate_input": "raw"},
    "logarithm, text gate per class": {"gate_input": "log", "text_gate": "class"},
    "as released": load_method("bmip").PRESETS["released"].options,
}


@dataclass(frozen=True)
class Found:
    base: float
    novel: float
    moved: float
    """Standard deviation over images of the image gates' shares, mean over layers and slots."""


def judge(choice: Mapping[str, Any], data: str, seed: int, clip: CLIP, runs: Path) -> Found:
    dataset = load_dataset(data)
    base, _ = base_novel(few_shot(dataset, 16, seed))
    all_base, all_novel = base_novel(dataset)
    if all_base.val is None or all_novel.val is None:
        raise ValueError(f"{data} has no validation images: choose a data set that has")
    chosen = choose_preset("bmip", None, "embedded")[1]
    options = {**chosen.options, **choice}
    name = "-".join(f"{key}={value}" for key, value in sorted(options.items()))
    config = RunConfig(
        method="bmip", options=options, training=TrainConfig(**chosen.training), data_seed=seed, init_seed=seed
    )
    run = train(config, clip, replace(base, val=None, test=all_base.val), runs / data / f"{name}-{seed}")
    novel = evaluate(run.model, all_novel.val, all_novel.classes).accuracy
    return Found(run.predictions.accuracy, novel, moved(run.model, all_base.val))


def moved(model: PromptedCLIP, images: Any) -> float:
    clip = model.clip
    pixels, _ = next(iter(EvalBatches(images, clip.config.image_size, batch=200)))
    shares: list[Tensor] = []
    handles = [gate.register_forward_hook(lambda *args: shares.append(args[2])) for gate in model.prompter.image_gates]
    model.image_features(normalise(pixels, clip.config.mean, clip.config.std))
    for handle in handles:
        handle.remove()
    return fmean(float(share.std(0).mean()) if len(share) > 1 else 0.0 for share in shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder for the trainings")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clip = load_clip("embedded")
    print("| gate | " + " | ".join(f"{data}: base / novel" for data in DATA) + " | harmonic mean | shares move by |")
    print("|---|" + "---|" * (len(DATA) + 2))
    for words, choice in CHOICES.items():
        cells, means, moves = [], {seed: [] for seed in SEEDS}, []
        for data in DATA:
            found = [judge(choice, data, seed, clip, arguments.runs) for seed in SEEDS]
            cells.append(f"{fmean(f.base for f in found):.1f} / {fmean(f.novel for f in found):.1f}")
            moves += [f.moved for f in found]
            for seed, f in zip(SEEDS, found, strict=True):
                means[seed].append(harmonic_mean(f.base, f.novel))
        hm = summarise([fmean(values) for values in means.values()])
        print(f"| {words} | {' | '.join(cells)} | {hm.mean:.1f} ± {hm.margin:.1f} | {fmean(moves):.4f} |", flush=True)


if __name__ == "__main__":
    main()
