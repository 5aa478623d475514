"""What `bmip demo` does: it trains, evaluates and draws, for drawings of animals and of food."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bmip.data.dataset import Dataset
from bmip.data.sampling import split_base_novel
from bmip.evaluation.predict import Prediction, predict
from bmip.experiments.executors.executor import Executor
from bmip.experiments.listener import ProgressListener
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import run_trials
from bmip.experiments.trial import Trial
from bmip.report.sample_pictures import Sample, draw_samples
from bmip.run_spec import RunSpec
from bmip.training.checkpoint import from_pretrained

SHOWN = 6  # pictures in a row
SEED = 1
HEADINGS = {"base": "classes trained on", "novel": "classes not trained on"}


@dataclass(frozen=True)
class Demo:
    """What the demo has made."""

    rows: tuple[Row, ...]
    asked: tuple[Prediction, ...]
    """A few images of novel classes, classified among base and novel names together."""

    runs: tuple[Path, ...]
    """The folders of BMIP's runs, one per data set."""

    picture: Path


def run_demo(
    folder: Path | str,
    methods: Sequence[RunSpec],
    *,
    data: Sequence[str],
    device: str = "auto",
    listener: ProgressListener | None = None,
    executor: Executor | None = None,
) -> Demo:
    """Trains, evaluates and draws; everything lies in `folder` afterwards. What is there already is not done again.

    `methods` are specs without data and seeds; one of them is BMIP, whose predictions are shown. `executor` is where
    they are carried out; without one, that is this process.
    """
    folder = Path(folder)
    resources = Resources(device=device)
    trials = list(protocol("base-to-novel").trials(data, methods, [SEED]))
    rows = run_trials(
        trials,
        Results(folder / "results.jsonl"),
        runs=folder,
        resources=resources,
        listener=listener,
        executor=executor,
    )
    bmip = [trial for trial in trials if trial.run.method == "bmip"]
    asked: list[Prediction] = []
    samples: list[Sample] = []
    for trial in bmip:
        found, more = _look(trial, folder, resources)
        samples += found
        asked += more
    picture = folder / "predictions.png"
    draw_samples(samples, picture)
    return Demo(tuple(rows), tuple(asked), tuple(folder / trial.run.folder for trial in bmip), picture)


def _look(trial: Trial, folder: Path, resources: Resources) -> tuple[list[Sample], list[Prediction]]:
    model = from_pretrained(folder / trial.run.folder, resources.clip_for(trial.run))
    whole = resources.dataset(trial.run.data, trial.run.read)
    samples: list[Sample] = []
    asked: list[Prediction] = []
    for group, half in zip(("base", "novel"), split_base_novel(whole), strict=True):
        chosen = _spread(half)
        pictures = [half.test.images[index] for index in chosen]
        truths = [half.classes.names[half.test.labels[index]] for index in chosen]
        for picture, truth, found in zip(pictures, truths, predict(model, pictures, half.classes), strict=True):
            samples.append(Sample(picture, truth, found, f"{trial.run.data}, {HEADINGS[group]}"))
        if group == "novel":
            among_all = predict(model, pictures[:2], whole.classes, top=3)
            names = [half.test.images.name(index) for index in chosen[:2]]
            asked += [
                replace(found, image=f"{truth} ({name})")
                for truth, name, found in zip(truths, names, among_all, strict=False)
            ]
    return samples, asked


def _spread(dataset: Dataset) -> list[int]:
    """Test images of different classes, chosen without looking at what becomes of them."""
    first: dict[int, int] = {}
    for index, label in enumerate(dataset.test.labels):
        first.setdefault(label, index)
    labels = sorted(first)
    step = max(1, len(labels) // SHOWN)
    chosen = [first[label] for label in labels[::step]][:SHOWN]
    more = iter(range(1, len(dataset.test)))
    while len(chosen) < min(SHOWN, len(dataset.test)):
        chosen += [index for index in [next(more)] if index not in chosen]
    return chosen
