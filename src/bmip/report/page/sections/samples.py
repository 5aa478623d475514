"""Single test images with their predictions, right and wrong ones."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from bmip.data.dataset import DataError, Dataset
from bmip.data.load import load_dataset
from bmip.evaluation.evaluate import Predictions
from bmip.experiments.results import Row
from bmip.report.page.content import Absent, Gallery, Picture, Section, Text
from bmip.report.page.judged import with_most_shots
from bmip.report.page.material import Material
from bmip.report.table_data import TableData
from bmip.system.messages import counted

SHOWN = 4  # right ones, and as many wrong ones
SIDE = 96  # pixels of the longer side


def samples(material: Material) -> Section | Absent:
    """For each data set and part a few images of the last line, which is BMIP's where it was compared."""
    sets = dict[str, Dataset | None]()
    found = []
    for data in material.tables:
        for row, label, part, predictions in _shown(material, data):
            place = row.trial.place
            if place not in sets:
                sets[place] = _loaded(material, row)
            dataset = sets[place]
            if dataset is not None:
                heading = f"{label} on {place}, {part}"
                pictures = _pictures(predictions, dataset, f"sample-{len(found) + 1}")
                accuracy = f"{predictions.accuracy:.1f} % of {counted(predictions.total, 'image')} are right"
                found.append(Gallery(f"{heading}, data seed {row.trial.run.data_seed}: {accuracy}", pictures))
    if not found:
        reason = "no predictions for single images were found in the folders of the runs, or their images are not here"
        return Absent("Sample predictions", reason)
    how = (
        f"Up to {SHOWN} right and {SHOWN} wrong predictions: of all right ones, and of all wrong ones, in the order of "
        "the images, those at equal distances."
    )
    return Section("Sample predictions", [Text(how), *found])


def _shown(material: Material, data: TableData) -> Iterator[tuple[Row, str, str, Predictions]]:
    """For each data set the last line of the table that has predictions, with its first seed, part by part."""
    for place in data.places:
        for one, label in reversed(list(data.labels.items())):
            each = [
                (row, label, part, predictions)
                for row in with_most_shots(data, data.cells.get((place, one), ()))[:1]
                for part in row.counts
                if (predictions := material.runs.predictions(row, part)) is not None
            ]
            if each:
                yield from each
                break


def _loaded(material: Material, row: Row) -> Dataset | None:
    """The evaluated data set; None where it cannot be loaded here."""
    places = material.runs.places(row)
    there = {name: place for name, place in places.items() if name in ("class_names", "root") and Path(place).exists()}
    data = places.get("data", "") if not row.trial.target else ""
    try:
        return load_dataset(
            data if data and Path(data).exists() else row.trial.place, replace(row.trial.run.read, **there)
        )
    except (DataError, ValueError, OSError):
        return None


def _pictures(predictions: Predictions, dataset: Dataset, name: str) -> tuple[Picture, ...]:
    at = {dataset.test.images.name(index): index for index in range(len(dataset.test))}
    right = (predictions.labels == predictions.predicted).tolist()
    known = [index for index, image in enumerate(predictions.images) if image in at]
    chosen = [
        *_spread([index for index in known if right[index]]),
        *_spread([index for index in known if not right[index]]),
    ]
    return tuple(
        _picture(predictions, index, dataset.test.images[at[predictions.images[index]]], f"{name}-{number}.png")
        for number, index in enumerate(chosen, 1)
    )


def _spread(indices: Sequence[int]) -> list[int]:
    step = max(1, len(indices) // SHOWN)
    return list(indices[::step][:SHOWN])


def _picture(predictions: Predictions, index: int, pixels: UInt8[Tensor, "3 height width"], name: str) -> Picture:
    names = predictions.classes.names
    truth, answer = names[int(predictions.labels[index])], names[int(predictions.predicted[index])]
    probability = f"{100 * float(predictions.probability[index]):.0f} %"
    if truth == answer:
        caption, alt = f"✓ {answer}, {probability}", f"A test image of {truth}, rightly named with {probability}."
    else:
        caption = f"✗ {answer}, {probability}; it is {truth}"
        alt = f"A test image of {truth}, wrongly named {answer} with {probability}."
    return Picture(name, _thumbnail(pixels), alt, caption)


def _thumbnail(pixels: UInt8[Tensor, "3 height width"]) -> bytes:
    image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, format="png")
    return file.getvalue()
