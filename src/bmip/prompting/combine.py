"""Combinations: one method's prompts with the losses, adapter and average of another, named "bmip+promptsrc".

A method that brings something along has an `Extra`, a frozen dataclass of options that its Config extends, and
`extras(config, clip, classes)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.prompting.method import Method, Preset

Presets = dict[str, Preset]


def _bmip_promptsrc(bmip: Presets, promptsrc: Presets) -> Presets:
    repository = {"slots": 4, "teacher": "80"}
    training = promptsrc["default"].training
    return {
        "default": Preset(
            "LAMDASZ-ML/BMIP, configs/trainers/PromptSRC_BMIP with SGD: 4 tokens; BMIP's faults mended",
            options=repository,
            training=training,
        ),
        "released": Preset(
            "LAMDASZ-ML/BMIP, configs/trainers/PromptSRC_BMIP with Adam",
            options={**repository, **bmip["released"].options},
            training={**training, "optimizer": "adam"},
        ),
        "cross-dataset": Preset(
            "the authors' BMIPRS repository: 10 epochs, average 6/10; depth 9, which its code reads",
            options={**repository, "average_mean": 6.0, "average_std": 10.0},
            training={**training, "epochs": 10},
        ),
    }


def _as_the_second(first: Presets, second: Presets) -> Presets:
    own = Preset(
        "our own, trained as the method whose losses it has; no code was released",
        first["default"].options,
        second["default"].training,
    )
    return {"default": own}


def _bmip_maple(bmip: Presets, maple: Presets) -> Presets:
    per_layer = {"share_to_text": False, "share_to_image": False}
    return {"default": Preset("our own; no code was released", per_layer, maple["default"].training)}


NAMED: Mapping[str, tuple[str, Callable[[Presets, Presets], Presets]]] = {
    "bmip+promptsrc": (
        "BMIP's prompts under PromptSRC's losses and average. (LAMDASZ-ML/BMIP, trainers/promptsrc_bmip.py)",
        _bmip_promptsrc,
    ),
    "bmip+coprompt": ("BMIP's prompts in place of MaPLe's, with CoPrompt's adapters and losses.", _as_the_second),
    "bmip+maple": ("BMIP with a projection for each layer, trained as MaPLe.", _bmip_maple),
    "cocoop+promptsrc": ("CoCoOp's prompts under PromptSRC's losses and average.", _as_the_second),
}
"""Those with a summary and settings of their own; every other pair can be asked for as well."""


def combine(name: str, base: ModuleType, others: Mapping[str, ModuleType]) -> ModuleType:
    """The combination as a method module.

    Raises ValueError for a method that has nothing to bring along, and for options of the same name.
    """
    bringing = {own: module for own, module in others.items() if hasattr(module, "Extra")}
    if not bringing and name not in NAMED:
        idle = ", ".join(others)
        raise ValueError(
            f"{idle} has no loss, adapter or average to go with other prompts: `bmip methods` tells which have"
        )
    owners: dict[str, str] = {}
    for own, config in (("the prompts", base.Config), *((own, module.Extra) for own, module in bringing.items())):
        for field in fields(config):
            if field.name in owners:
                raise ValueError(f"{name} has the option {field.name!r} twice, from {owners[field.name]} and {own}")
            owners[field.name] = own

    def build(config: Any, clip: CLIP, classes: ClassNames) -> Method:
        method = base.build(config, clip, classes)
        for module in bringing.values():
            method = method.plus(module.extras(config, clip, classes))
        return method

    summary, presets = NAMED.get(name) or (
        f"The prompts of {name.replace('+', ' with what ', 1)} adds.",
        _as_the_second,
    )
    module = ModuleType(name, summary)
    bases = (*(other.Extra for other in bringing.values()), base.Config)
    module.Config = dataclass(frozen=True)(type("Config", bases, {"__doc__": name}))  # type: ignore[attr-defined]
    module.build = build  # type: ignore[attr-defined]
    module.PRESETS = presets(base.PRESETS, list(others.values())[-1].PRESETS)  # type: ignore[attr-defined]
    return module
