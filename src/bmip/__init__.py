"""Prompt learning for a frozen CLIP.

The names below are loaded when they are first used, so that `import bmip` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bmip.checkpoint import load_checkpoint, save_checkpoint
    from bmip.clip.load import load_clip, save_clip
    from bmip.clip.texts import ClassNames
    from bmip.data.catalogue import load_dataset
    from bmip.data.sampling import base_novel, few_shot
    from bmip.evaluation import evaluate
    from bmip.methods import build_model
    from bmip.metrics import harmonic_mean
    from bmip.prediction import predict
    from bmip.presets import choose_preset
    from bmip.runs import RunConfig, train
    from bmip.training import TrainConfig, fit

_HOMES = {
    "ClassNames": "bmip.clip.texts",
    "RunConfig": "bmip.runs",
    "TrainConfig": "bmip.training",
    "base_novel": "bmip.data.sampling",
    "build_model": "bmip.methods",
    "choose_preset": "bmip.presets",
    "evaluate": "bmip.evaluation",
    "few_shot": "bmip.data.sampling",
    "fit": "bmip.training",
    "harmonic_mean": "bmip.metrics",
    "load_checkpoint": "bmip.checkpoint",
    "load_clip": "bmip.clip.load",
    "load_dataset": "bmip.data.catalogue",
    "predict": "bmip.prediction",
    "save_checkpoint": "bmip.checkpoint",
    "save_clip": "bmip.clip.load",
    "train": "bmip.runs",
}

__all__ = [
    "ClassNames",
    "RunConfig",
    "TrainConfig",
    "base_novel",
    "build_model",
    "choose_preset",
    "evaluate",
    "few_shot",
    "fit",
    "harmonic_mean",
    "load_checkpoint",
    "load_clip",
    "load_dataset",
    "predict",
    "save_checkpoint",
    "save_clip",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("bmip")
    if name not in _HOMES:
        raise AttributeError(f"module 'bmip' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
