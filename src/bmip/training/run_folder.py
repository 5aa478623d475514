"""The folder of one training run: what was asked, where it ran, how it went, and what came out.

    config.json          what was asked for; a folder serves one configuration
    environment.json     machine and versions, once for every change of them
    metrics.jsonl        one line per epoch
    state.safetensors    all that is needed to go on; gone when the run is complete
    prompts.safetensors, prompts.json    the checkpoint
    gauges.json          what the prompts' gauges showed on the test split, such as BMIP's gate weights
    predictions.csv      of the test split; written last
    evaluated/           predictions of the parts that protocols evaluate, PROTOCOL-PART.csv each
    failed.txt           why the training failed, if it did; other settings may then replace this attempt
    .lock                locked while a process works here

Every file is replaced at once, so a run may be killed at any moment. One process at a time may work in a folder.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.evaluation.evaluate import Predictions
from bmip.evaluation.gauges import Reading
from bmip.evaluation.prediction_files import read_predictions, write_predictions
from bmip.system.environment import environment
from bmip.system.files import sweep, write_bytes, write_json, write_text
from bmip.system.messages import first_few

_PATIENCE = 1.0  # seconds; another may be reading a finished run
MOVED = ("backbone.source", "backbone.revision", "places")
"""What may differ in config.json: where CLIP and data lie."""

GAUGES = "gauges.json"
EVALUATED = "evaluated"
_SAVED = ("state.safetensors", "metrics.jsonl", "prompts.safetensors", "prompts.json", GAUGES, "predictions.csv")
_FAILED = "failed.txt"


class RunFolderError(ValueError):
    """A run folder that does not fit what is asked, or is damaged."""


class BusyError(RunFolderError):
    """Another process works in the folder."""


class OtherRunError(RunFolderError):
    """The folder holds another run than the one asked for."""

    def __init__(self, folder: Path, differences: Sequence[str]) -> None:
        self.differences = (
            f"{folder} holds another run; there and asked for: {first_few(differences, 8, separator='; ')}"
        )
        super().__init__(f"{self.differences}: name another folder, or delete this one")


def set_aside(folder: Path) -> Path:
    """Renames a folder to a free name beside it, and returns that."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}.earlier-{number}")).exists():
        number += 1
    return folder.rename(aside)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Create the folder, keep other processes out of it, and clear away what one that was killed has left there.

    The system drops the lock with the process that holds it. Raises BusyError where another process is at work, and
    RunFolderError where the folder holds something else than a run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(f"the folder {folder} cannot be made ({error.strerror}): name another") from error
    others = sorted(entry.name for entry in folder.iterdir() if entry.name[0] != "." and entry.name != EVALUATED)
    if others and not (folder / "config.json").exists():
        raise RunFolderError(f"{folder} is no run folder and holds {first_few(others, 3)}: name another")
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout as error:
        raise BusyError(
            f"another bmip trains in {folder}: give the command again when it is done, or name another folder"
        ) from error
    try:
        sweep(folder)
        yield
    finally:
        lock.release()


@dataclass(frozen=True, eq=False)
class Saved:
    """A state of training as it lies on disk."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


class RunFolder:
    """The files of one run, as this module's docstring lists them."""

    def __init__(self, path: str | Path, config: Mapping[str, Any], device: torch.device | str = "cpu") -> None:
        """Creates the folder, or opens it to go on; while anything is written, within `alone_in`.

        Args:
            path: the folder.
            config: what the run is, as plain values for JSON. A folder serves one configuration; where its CLIP lies
                (backbone.source) may change. An earlier attempt that failed, or has saved nothing, does not count.
            device: noted in environment.json.

        Raises:
            OtherRunError: where the folder holds another configuration.
            RunFolderError: where its files are damaged.
        """
        self.path = Path(path)
        self.config: dict[str, Any] = json.loads(json.dumps(config))
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / "config.json"
        if file.exists():
            there = dict(_differences(_read_json(file), self.config))
            told = {place for place in there if not place.startswith(MOVED) and f"spec.{place}" not in there}
            differences = [f"{place}: {there[place]}" for place in sorted(told)]
            saved = any((self.path / name).exists() for name in _SAVED)
            if differences and saved and not (self.path / _FAILED).exists():
                raise OtherRunError(self.path, differences)
            if differences:
                for name in (*_SAVED, _FAILED, "environment.json", "config.json"):
                    (self.path / name).unlink(missing_ok=True)
                shutil.rmtree(self.path / EVALUATED, ignore_errors=True)
        if not file.exists():
            write_json(file, self.config)
        self._note_environment(device)

    @property
    def complete(self) -> bool:
        """Whether checkpoint and predictions are written."""
        return (self.path / "prompts.json").exists() and (self.path / "predictions.csv").exists()

    def conclude(self) -> None:
        """Removes what a finished run no longer needs: the state of training, and the note of an earlier failure."""
        self._state.unlink(missing_ok=True)
        (self.path / _FAILED).unlink(missing_ok=True)

    def fail(self, reason: str) -> None:
        """Notes that the training failed, as it would again with these settings."""
        write_text(self.path / _FAILED, reason + "\n")

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Replaces metrics.jsonl by one line for each of the rows."""
        write_text(self.path / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def write_state(self, saved: Saved) -> None:
        """Replaces the state of training."""
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in saved.tensors.items()}
        write_bytes(self._state, save(tensors, metadata={"facts": json.dumps(saved.facts)}))

    def read_state(self) -> Saved | None:
        """None where no epoch was finished."""
        if not self._state.exists():
            return None
        try:
            with safe_open(self._state, framework="pt") as file:
                facts = json.loads(file.metadata()["facts"])
                return Saved({name: file.get_tensor(name).clone() for name in file.keys()}, facts)  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise RunFolderError(
                f"{self._state} is damaged ({error}): delete it to start this run from its beginning"
            ) from error

    def write_predictions(self, predictions: Predictions) -> None:
        """Replaces predictions.csv."""
        write_predictions(self.path / "predictions.csv", predictions)

    def read_predictions(self, classes: ClassNames) -> Predictions:
        """The predictions that `write_predictions` wrote. Raises RunFolderError where they are damaged."""
        try:
            return read_predictions(self.path / "predictions.csv", classes)
        except (OSError, ValueError) as error:
            raise RunFolderError(str(error)) from error

    def write_gauges(self, readings: Sequence[Reading]) -> None:
        """Replaces gauges.json; a method without gauges has no such file."""
        if readings:
            write_json(self.path / GAUGES, [asdict(one) for one in readings])

    @property
    def _state(self) -> Path:
        return self.path / "state.safetensors"

    def _note_environment(self, device: torch.device | str) -> None:
        file, this = self.path / "environment.json", environment(device)
        known = _read_json(file) if file.exists() else []
        if not known or known[-1] != this:
            write_json(file, [*known, this])


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The rows of metrics.jsonl in the folder of a run; none where it is missing.

    Raises RunFolderError where it is damaged.
    """
    file = folder / "metrics.jsonl"
    if not file.exists():
        return []
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise RunFolderError(f"{file} is damaged ({error}): delete the folder and train again") from error


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunFolderError(f"{file} is damaged ({error}): delete the folder and train again") from error


def _differences(there: Any, asked: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(there, dict) and isinstance(asked, dict):
        for key in sorted(there.keys() | asked.keys()):
            yield from _differences(there.get(key), asked.get(key), f"{place}.{key}" if place else key)
    elif there != asked:
        yield place, f"{_short(there)} and {_short(asked)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
