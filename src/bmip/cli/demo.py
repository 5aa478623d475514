"""`bmip demo`: BMIP beside zero-shot and MaPLe on real handwriting and on a set of the rendered world."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.cli.arguments import methods_asked
from bmip.cli.console import note, out
from bmip.cli.progress import watching
from bmip.cli.tables import predictions_table
from bmip.data.dataset import Dataset
from bmip.data.sampling import split_base_novel
from bmip.evaluation.predict import Prediction, predict
from bmip.experiments.listener import ProgressListener
from bmip.experiments.protocols.base_to_novel import base_to_novel
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import run_trials
from bmip.experiments.trial import Trial
from bmip.report import as_rich, tables
from bmip.report.sample_pictures import Sample, draw_samples
from bmip.run_spec import RunSpec
from bmip.training.checkpoint import from_pretrained

DATA = ("digits", "shapes-sketch")
METHODS = ("zero-shot", "maple", "bmip")
SHOWN = 6  # pictures in a row
SEED = 1
HEADINGS = {"base": "classes trained on", "novel": "classes not trained on"}


@dataclass(frozen=True)
class Demo:
    rows: tuple[Row, ...]
    asked: tuple[Prediction, ...]
    """A few images of novel classes, judged among base and novel names together."""

    runs: tuple[Path, ...]
    """The folders of BMIP's runs, one per data set."""

    picture: Path


def run_demo(
    folder: Path | str,
    methods: Sequence[RunSpec],
    *,
    device: str = "auto",
    data: Sequence[str] = DATA,
    listener: ProgressListener | None = None,
) -> Demo:
    """Train, judge and draw; everything lies in `folder` afterwards. What is there already is not done again.

    `methods` are specs without data and seeds; one of them is BMIP, whose predictions are shown.
    """
    folder = Path(folder)
    resources = Resources(device=device)
    trials = list(base_to_novel(data, methods, [SEED]))
    rows = run_trials(trials, Results(folder / "results.jsonl"), runs=folder, resources=resources, listener=listener)
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


app = typer.Typer(add_completion=False)
SPREAD = ("--data",)


@app.command(epilog="Example: bmip demo")
@common_options.training_options
def demo(
    out_: Annotated[Path, typer.Option("--out", help="Folder for everything it makes.")] = Path("runs/demo"),
    data: Annotated[list[str], typer.Option(help="The data sets (`bmip data list`).")] = list(DATA),
    shots: common_options.Shots = 16,
    backbone: common_options.Backbone = "embedded",
    set_: common_options.Set = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    training: dict[str, Any] = {},
) -> None:
    """Train BMIP with 16 images per class beside zero-shot and MaPLe, on classes that are kept and on new ones.

    Prints the table, names a few single images, and draws a picture of what it says. A second call does nothing twice.
    """
    common_options.use_threads(threads)
    note(f"Trained on {shots} images of each base class; novel classes are never seen. Minutes on two cores.")
    methods = methods_asked(list(METHODS), None, set_ or [], training=training, shots=shots, backbone=backbone)
    with watching() as listener:
        found = run_demo(out_, methods, device=device, data=data, listener=listener)
    for table in tables(found.rows):
        out().print(as_rich(table))
    out().print(predictions_table(found.asked, "BMIP on images of classes it was not trained on, among all names"))
    out().print(f"Picture:    {found.picture}", soft_wrap=True, markup=False)
    for run in found.runs:
        out().print(f"Run folder: {run}", soft_wrap=True, markup=False)
    note(f"Ask it about other names: bmip predict {found.runs[0]} IMAGES... --classes 'a cat,a dog'")
