"""The methods: one module each, found by its file name, which exposes one MethodSpec as `METHOD`.

`combinations` holds the pairs of methods that have settings of their own.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import asdict, fields, replace
from functools import cache, reduce
from operator import add
from typing import Any

import torch

from bmip.class_names import ClassNames, check_class_names
from bmip.clip.model import CLIP
from bmip.prompting.checkpoint import Description
from bmip.prompting.method_spec import MethodSpec
from bmip.prompting.model import PromptedCLIP
from bmip.run_spec import RunSpec
from bmip.system.messages import nearest
from bmip.system.method_name import method_name


def method_names() -> tuple[str, ...]:
    """The names of the package's methods, found by their files."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__) if module.name != "combinations")


def combination_names() -> tuple[str, ...]:
    """The names of the combinations that have settings of their own."""
    from bmip.methods.combinations import COMBINATIONS

    return tuple(COMBINATIONS)


def load_method(name: str | MethodSpec) -> MethodSpec:
    """A method of the package by its name, one from outside by its module or file, or a combination: "bmip+promptsrc".

    A MethodSpec is returned as it is. Raises ValueError for a name that is none of these, with the nearest right one,
    and for a module without a METHOD.
    """
    if isinstance(name, MethodSpec):
        return name
    name = method_name(name, method_names())
    if "+" in name:
        return _combination(name)
    try:
        module = importlib.import_module(f"{__name__}.{name}" if name in method_names() else name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"cannot import the method {name!r}: {error}: is its package installed, or its folder in PYTHONPATH?"
        ) from error
    found = getattr(module, "METHOD", None)
    if not isinstance(found, MethodSpec):
        raise ValueError(f"{name!r} is no method: its module needs METHOD, a bmip.prompting.MethodSpec")
    return found


def method_config(name: str | MethodSpec, options: dict[str, Any]) -> Any:
    """The method's Config with these options.

    Raises ValueError for an option that the method does not have, with the nearest right name.
    """
    spec = load_method(name)
    known = [field.name for field in fields(spec.Config)]
    for option in options:
        if option not in known:
            raise ValueError(f"the method {spec.name!r} has no option {option!r}: {nearest(option, known, 'it has')}")
    return replace(spec.Config(), **options)


def build_model(
    name: str | MethodSpec, options: dict[str, Any], clip: CLIP, classes: ClassNames, *, seed: int
) -> PromptedCLIP:
    """The frozen CLIP with the method around it, ready to evaluate; `fit` trains it.

    Args:
        name: as `load_method` takes it.
        options: departures from the defaults of the method's Config.
        classes: those that the method is trained on.
        seed: the initial prompts are drawn from it; torch's global generator is left as it is.

    Raises:
        ValueError: for an unknown method or option, and for options that do not fit the CLIP or the classes.
    """
    check_class_names(classes)
    config = method_config(name, options)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # methods draw on the CPU; generators of GPUs stay as they are
        model = PromptedCLIP(clip, load_method(name).whole(config, clip, classes), classes).eval()
    identifier = name.name if isinstance(name, MethodSpec) else method_name(name, method_names())
    spec = RunSpec(method=identifier, backbone=clip.source, init_seed=seed)
    model.description = Description(
        spec=spec,
        options=asdict(config),
        classes=classes,
        backbone=clip.source,
        backbone_hash=clip.sha256,
        backbone_revision=clip.revision,
    )
    return model


@cache
def _combination(name: str) -> MethodSpec:
    from bmip.methods.combinations import COMBINATIONS  # it imports methods, so none is imported before it is needed

    return COMBINATIONS.get(name) or reduce(add, map(load_method, name.split("+")))
