"""Prompt learning for a frozen CLIP. The names below are all that is promised to users of the package.

They are loaded when they are first used, so that `import bmip` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
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
    from bmip.learner.learner import PromptLearner
    from bmip.methods import build_model, load_method
    from bmip.metrics import harmonic_mean
    from bmip.run_spec import RunSpec, settings
    from bmip.training.checkpoint import from_pretrained
    from bmip.training.config import TrainConfig
    from bmip.training.loop import fit
    from bmip.training.run import train

_HOMES = {
    "ClassNames": "bmip.class_names",
    "PromptLearner": "bmip.learner.learner",
    "ReadConfig": "bmip.data.read_config",
    "RunSpec": "bmip.run_spec",
    "TrainConfig": "bmip.training.config",
    "build_model": "bmip.methods",
    "choose_preset": "bmip.experiments.presets",
    "evaluate": "bmip.evaluation.evaluate",
    "fit": "bmip.training.loop",
    "from_pretrained": "bmip.training.checkpoint",
    "harmonic_mean": "bmip.metrics",
    "load_clip": "bmip.clip.loading.load",
    "load_dataset": "bmip.data.load",
    "load_method": "bmip.methods",
    "predict": "bmip.evaluation.predict",
    "sample_few_shot": "bmip.data.sampling",
    "save_clip": "bmip.clip.loading.load",
    "settings": "bmip.run_spec",
    "split_base_novel": "bmip.data.sampling",
    "train": "bmip.training.run",
}

__all__ = [
    "ClassNames",
    "PromptLearner",
    "ReadConfig",
    "RunSpec",
    "TrainConfig",
    "build_model",
    "choose_preset",
    "evaluate",
    "fit",
    "from_pretrained",
    "harmonic_mean",
    "load_clip",
    "load_dataset",
    "load_method",
    "predict",
    "sample_few_shot",
    "save_clip",
    "settings",
    "split_base_novel",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("bmip")
    if name not in _HOMES:
        raise AttributeError(f"module 'bmip' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
