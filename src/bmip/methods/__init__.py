"""The methods. A method is a module with `Config`, `build` and `PRESETS`; its file name is its name.

Config: a frozen dataclass of options.
build(config, clip, classes) -> Method: draws initial values from torch's generator, which the caller seeds.
PRESETS: dict[str, Preset] with at least "default".
Extra and extras(config, clip, classes), where it brings something that goes with other prompts.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from dataclasses import fields, replace
from functools import cache
from types import ModuleType
from typing import Any

import torch

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.prompting.combine import NAMED, combine
from bmip.prompting.model import PromptedCLIP


def method_names() -> tuple[str, ...]:
    """The methods of the package, found by their files."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__))


def combination_names() -> tuple[str, ...]:
    """The combinations that have settings of their own."""
    return tuple(NAMED)


def method_id(name: str) -> str:
    """How a method is called in results: "zero-shot" and "zero_shot" are the same one.

    Raises ValueError for a name that is no method.
    """
    load_method(name)
    parts = [part.replace("-", "_") if part.replace("-", "_") in method_names() else part for part in name.split("+")]
    return "+".join(parts)


def load_method(name: str) -> ModuleType:
    """A method of the package by its name, one from outside by its dotted path, or a combination: "bmip+promptsrc".

    Raises ValueError for a name that is none of these, with the nearest right one, or for a module that is no method.
    """
    if "+" in name:
        return _combination("+".join(part.strip().replace("-", "_") for part in name.split("+")))
    known = method_names()
    spelled = name.replace("-", "_")
    if spelled in known:
        return importlib.import_module(f"{__name__}.{spelled}")
    if "." not in name:
        near = difflib.get_close_matches(spelled, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"there is no method {name!r}: {hint} A dotted path loads one from outside.")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"cannot import the method {name!r}: {error}: is its package installed, or its folder in PYTHONPATH?"
        ) from error
    lacking = [part for part in ("Config", "build", "PRESETS") if not hasattr(module, part)]
    if lacking:
        raise ValueError(f"{name!r} is no method: its module lacks {', '.join(lacking)}")
    return module


@cache
def _combination(name: str) -> ModuleType:
    base, *others = name.split("+")
    return combine(name, load_method(base), {other: load_method(other) for other in others})


def method_config(name: str, options: dict[str, Any]) -> Any:
    """The method's Config with these options; an unknown one is a ValueError with the nearest right name."""
    config = load_method(name).Config
    known = [field.name for field in fields(config)]
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'no options'}"
            raise ValueError(f"the method {name!r} has no option {option!r}: {hint}")
    return replace(config(), **options)


def build_model(name: str, options: dict[str, Any], clip: CLIP, classes: ClassNames, *, seed: int) -> PromptedCLIP:
    """The frozen CLIP with the method around it, its initial prompts drawn from `seed` and nothing else.

    It is ready to judge; `fit` turns what only training does (dropout, drawn prompts) on and off again.
    """
    config = method_config(name, options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PromptedCLIP(clip, load_method(name).build(config, clip, classes), classes).eval()
