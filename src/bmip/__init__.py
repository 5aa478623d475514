"""Prompt learning for a frozen CLIP.

The names below are loaded when they are first used, so that `import bmip` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bmip.class_names import ClassNames
    from bmip.clip.loading.load import load_clip, save_clip
    from bmip.data.load import load_dataset
    from bmip.data.read_config import ReadConfig
    from bmip.data.sampling import sample_few_shot, split_base_novel
    from bmip.evaluation.evaluate import evaluate
    from bmip.evaluation.predict import predict
    from bmip.experiments.presets import choose_preset
    from bmip.methods import build_model
    from bmip.metrics import harmonic_mean
    from bmip.training.checkpoint import load_checkpoint, save_checkpoint
    from bmip.training.config import TrainConfig
    from bmip.training.loop import fit
    from bmip.training.run import RunConfig, train

_HOMES = {
    "ClassNames": "bmip.class_names",
    "ReadConfig": "bmip.data.read_config",
    "RunConfig": "bmip.training.run",
    "TrainConfig": "bmip.training.config",
    "split_base_novel": "bmip.data.sampling",
    "build_model": "bmip.methods",
    "choose_preset": "bmip.experiments.presets",
    "evaluate": "bmip.evaluation.evaluate",
    "sample_few_shot": "bmip.data.sampling",
    "fit": "bmip.training.loop",
    "harmonic_mean": "bmip.metrics",
    "load_checkpoint": "bmip.training.checkpoint",
    "load_clip": "bmip.clip.loading.load",
    "load_dataset": "bmip.data.load",
    "predict": "bmip.evaluation.predict",
    "save_checkpoint": "bmip.training.checkpoint",
    "save_clip": "bmip.clip.loading.load",
    "train": "bmip.training.run",
}

__all__ = [
    "ClassNames",
    "ReadConfig",
    "RunConfig",
    "TrainConfig",
    "build_model",
    "choose_preset",
    "evaluate",
    "fit",
    "harmonic_mean",
    "load_checkpoint",
    "load_clip",
    "load_dataset",
    "predict",
    "sample_few_shot",
    "save_checkpoint",
    "save_clip",
    "split_base_novel",
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
