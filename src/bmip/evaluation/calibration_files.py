"""The threshold that lies beside prompts: written by `bmip calibrate`, read by `bmip predict`, and copied with them."""

from __future__ import annotations

import json
from pathlib import Path

from bmip.class_names import ClassNames
from bmip.evaluation.unknown import Calibration
from bmip.prompting.checkpoint import beside, tensors_hash
from bmip.system.files import write_json, write_text

KIND = "threshold"


def stored_calibration(run: Path) -> str | None:
    """What the file beside the prompts holds, as it is; None where no threshold was chosen.

    Raises ValueError for a file that is no text.
    """
    file = beside(run, KIND)
    try:
        return file.read_text(encoding="utf-8") if file.exists() else None
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{file} is damaged ({error}): delete it, or choose the threshold again with {_cure(run)}"
        ) from error


def store_calibration(run: Path, content: str) -> None:
    """Writes beside a copy of the prompts what `stored_calibration` returned."""
    write_text(beside(run, KIND), content)


def write_calibration(run: Path, calibration: Calibration, data: str, classes: ClassNames) -> Path:
    """Writes the calibration beside the prompts, with what it was chosen on; returns the file."""
    file = beside(run, KIND)
    on = {"data": data, "classes": classes.names, "template": classes.template}
    write_json(file, {**calibration.to_json(), **on, "tensors": tensors_hash(run)})
    return file


def read_calibration(run: Path) -> tuple[Calibration, ClassNames]:
    """The calibration of these prompts, and the classes that it was chosen for.

    Raises ValueError where there is none, and where it is of other prompts.
    """
    file, tensors = beside(run, KIND), tensors_hash(run)
    cure = _cure(run)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        known = content.pop("tensors") == tensors
        classes = ClassNames(tuple(content.pop("classes")), content.pop("template"), duplicates=True)
        found = Calibration.from_json({name: value for name, value in content.items() if name != "data"})
    except FileNotFoundError:
        raise ValueError(f"no threshold was chosen for {run}: {cure}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{file} is damaged ({error}): choose the threshold again with {cure}") from error
    if not known:
        raise ValueError(f"{file} was chosen for other prompts than those beside it: choose it again with {cure}")
    return found, classes


def _cure(run: Path) -> str:
    return f"bmip calibrate {run} --data DATA"
