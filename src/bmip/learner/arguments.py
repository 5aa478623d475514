"""The arguments of a learner, with scikit-learn's ways to read and to change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bmip.clip.loading.backbones import STANDARD
from bmip.clip.precision import Precision
from bmip.data.names import data_name
from bmip.data.read_config import ReadConfig
from bmip.experiments.method_trial import method_trial
from bmip.run_spec import RunSpec
from bmip.system.messages import nearest
from bmip.training.config import OptimizerName, Schedule, Selection, TrainConfig

Own = TypeVar("Own", bound="Arguments")


@dataclass(eq=False, repr=False)
class Arguments:
    """What a learner is told. They are kept as they are given; what is None follows from the preset."""

    method: str = "bmip"
    """A method's name, such as "bmip", "maple" or "bmip+promptsrc"."""

    _: KW_ONLY

    backbone: str | Path | None = None
    """The CLIP, as `load_clip` takes it; None: the embedded one for the name of a data set of the package,
    otherwise ViT-B/16."""

    shots: int = 16
    """Training images of each class that are drawn from those given; 0 means all."""

    seed: int = 1
    """Seed of the draw, of the order of the training images and of their augmentation."""

    init_seed: int | None = None
    """Seed of the first prompts; None: the same as `seed`."""

    preset: str | None = None
    """The name of a preset of the method; None: the one that suits the backbone."""

    options: Mapping[str, Any] | None = None
    """Options of the method, by name."""

    read: ReadConfig = ReadConfig()
    """How data are read; its template holds for images that come with labels, too."""

    device: str = "auto"
    """auto, cpu, cuda or mps."""

    progress: bool = False
    """Show a bar while training, where stderr is a terminal."""

    epochs: int | None = None
    """This and all below are settings of training, as in `TrainConfig`."""

    steps_per_shot: int | None = None
    batch: int | None = None
    optimizer: OptimizerName | None = None
    lr: float | None = None
    warmup_epochs: int | None = None
    warmup_lr: float | None = None
    schedule: Schedule | None = None
    final_lr: float | None = None
    weight_decay: float | None = None
    momentum: float | None = None
    eps: float | None = None
    precision: Precision | None = None
    selection: Selection | None = None
    patience: int | None = None
    min_epochs: int | None = None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments by name. `deep` has no effect, since no argument is an estimator."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self: Own, **params: Any) -> Own:
        """Changes arguments. Raises ValueError for a name that does not exist, with the nearest right one."""
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(f"{type(self).__name__} has no argument {name!r}: {nearest(name, known, 'it has')}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """The arguments that are not the defaults."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self)}
        given = (f"{name}={value!r}" for name, value in said.items() if value != defaults[name])
        return f"{type(self).__name__}({', '.join(given)})"

    def spec(self, data: str) -> RunSpec:
        """The training that they ask for, on a data set or a path; "" for images that are given with labels.

        Raises ValueError as `method_trial` does.
        """
        training = {field.name: _plain(getattr(self, field.name)) for field in fields(TrainConfig)}
        shots, seed = _count("shots", self.shots), _count("seed", self.seed)
        init_seed = seed if self.init_seed is None else _count("init_seed", self.init_seed)
        backbone = self.backbone or (None if data else STANDARD)
        plain = method_trial(
            self.method,
            self.preset,
            options={name: _plain(value) for name, value in (self.options or {}).items()},
            training={name: value for name, value in training.items() if value is not None},
            shots=shots,
            backbone=None if backbone is None else str(backbone),
            data=[data_name(data)],
            read=self.read,
            trained_on=data_name(data),
        )
        return replace(plain, data=data_name(data), data_seed=seed, init_seed=init_seed)


def _plain(value: Any) -> Any:
    """Numbers of numpy, such as those of a grid, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _count(name: str, value: Any) -> int:
    found = _plain(value)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ValueError(f"{name} is {value!r}; it must be a whole number and at least 0")
    return found
