"""A trained run, as commands find it on disk, and what it remembers of its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from bmip.cli.console import note
from bmip.clip.precision import Precision
from bmip.data.names import HUB_PREFIX, dataset_names
from bmip.data.read_config import ReadConfig
from bmip.prompting.checkpoint import Description
from bmip.prompting.model import PromptedCLIP
from bmip.system.device import pick_device
from bmip.training.checkpoint import from_pretrained


def load_run(run: Path, backbone: str | None, device: str, precision: Precision | None = None) -> PromptedCLIP:
    """The trained model, ready to classify, in this precision or in the one it was trained in."""
    model = from_pretrained(run, backbone, device=pick_device(device), precision=precision)
    then, now = model.described().spec.precision, str(model.clip.text.projection.weight.dtype).removeprefix("torch.")
    if precision is None and now != then:
        note(f"computed in {now}: training used {then}, in which a processor is many times slower")
    return model


def data_of(run: Path, description: Description) -> str:
    """The data set that the run was trained on, as `load_dataset` takes it here.

    A path is where it was in training, or else the same relative path from here. Raises ValueError where there is
    nothing.
    """
    data = description.spec.data
    if not data:
        raise ValueError(f"{run} does not say which data it was trained on: name some with --data")
    if data in dataset_names() or data.startswith(HUB_PREFIX):
        return data
    here, then = str(Path(data).resolve()), description.places.get("data", "")
    if place := next((place for place in (then, here) if place and Path(place).exists()), None):
        if not here == then == place:
            note(f"data: {place}")
        return data if place == here else place
    lay = f", then {then}," if then else ","
    raise ValueError(f"{run} was trained on {data!r}{lay} which is not there: say where it lies now (--data)")


def read_of(description: Description, data: str, given: Mapping[str, Any]) -> ReadConfig:
    """How the run read its data, with the options that are given anew; tells both to the person at the terminal.

    Better class names are left out for a data set that has its own.
    """
    there = {
        name: place
        for name, place in description.places.items()
        if name in ("class_names", "root") and Path(place).exists()
    }
    read = description.spec.read
    if data in dataset_names():
        read = replace(read, class_names="")
        there.pop("class_names", None)
    then = {field.name: getattr(read, field.name) for field in fields(read) if field.compare}
    for name, value in then.items():
        if name not in given and value != getattr(ReadConfig(), name):
            note(f"{name} is {value!r} as in training")
        elif given.get(name, value) != value:
            note(f"{name} is {given[name]!r}; in training it was {value!r}")
    return replace(read, **{**there, **given})
