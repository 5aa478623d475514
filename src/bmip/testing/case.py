"""What a check is given: one method with one set of options, on a tiny CLIP, in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

import torch
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.tokenizer import Tokenizer
from bmip.methods import build_model, load_method
from bmip.prompting.head import Support
from bmip.prompting.method_spec import MethodSpec
from bmip.prompting.model import PromptedCLIP
from bmip.testing.tiny import tiny_clip

CLASSES = ClassNames(("cat", "golden_retriever", "black-eyed susan", "2012 audi", "st.", "yo_yo"), "a picture of a {}.")
"""The classes that the checks train and evaluate on; their names have one to five tokens."""

LABELS = torch.tensor([0, 3, 5, 1])
LAYERS = 3
"""Of both towers of the tiny CLIP."""

_SIZES = {"text_width": 24, "context": 40, "out": 64}  # widths differ, so that mixing up towers is noticed
_VIT = {"image_size": 12, "patch": 4, "image_heads": 4}
_RESNET = {"image_size": 32, "patch": 32, "image_width": 2, "image_layers": (1, 1, 1, 1)}


@dataclass(frozen=True)
class Case:
    """One method with one set of options."""

    spec: MethodSpec
    label: str
    """The name of the preset, or of these options."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Departures from the defaults of the method's Config; they must fit a CLIP of three layers."""

    def __str__(self) -> str:
        return f"{self.spec.name}-{self.label}"

    def on(self, clip: CLIP, seed: int = 3, dtype: torch.dtype = torch.float32) -> PromptedCLIP:
        """The method, newly built around a CLIP; its own parameters have this type. A head is fitted to six images."""
        model = build_model(self.spec, dict(self.options), clip, CLASSES, seed=seed)
        for part in (model.prompter, model.terms, model.changes, model.adapter, model.read_out, model.head):
            if part is not None:
                part.to(dtype)
        if model.head:
            pixels = images(len(CLASSES), dtype, clip.config.image_size, seed=6)
            classes, scale = model.class_features(CLASSES)[0], clip.scale
            model.head.fit(Support(model.image_features(pixels), torch.arange(len(CLASSES)), classes, scale), None)
        return model

    def model(self, dtype: torch.dtype = torch.float64, seed: int = 3) -> PromptedCLIP:
        """The method, newly built around a tiny ViT; all weights have this type."""
        return self.on(_vit(dtype), seed, dtype)


def cases(method: str | MethodSpec, options: Mapping[str, Any] | None = None) -> tuple[Case, ...]:
    """The method with the options of every preset, each set of options once.

    Of the data sets for which a preset has settings of their own, those with the same options differ in numbers alone,
    and the first stands for them. So it does for presets whose options differ in weights alone: fractions that are
    not 0.

    Options whose name ends in "depth" are lowered to the three layers of the tiny CLIP, those whose name ends in "top"
    to two. `options` sets others that do not fit it. Raises ValueError for a name that is no method.
    """
    spec = load_method(method)
    found: list[Case] = []
    for label, preset in spec.presets.items():
        own: dict[frozenset[str], str] = {}
        for data, tuned in preset.by_data.items():
            own.setdefault(frozenset(tuned.options), data)
        for name, chosen in {label: preset, **{f"{label} on {data}": preset.on(data) for data in own.values()}}.items():
            case = Case(spec, name, {**shallow(spec, chosen.options), **(options or {})})
            if all(_structure(case) != _structure(other) for other in found):
                found.append(case)
    return tuple(found)


def _structure(case: Case) -> dict[str, Any]:
    """The method's options, with 1 for every weight that is not 0."""
    options = {option.name: option.default for option in fields(case.spec.Config)} | dict(case.options)
    return {name: 1.0 if isinstance(value, float) and value else value for name, value in options.items()}


def shallow(spec: MethodSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """These options with depths and tops that fit three layers."""
    most = {"depth": LAYERS, "top": LAYERS - 1}
    limits = {own.name: limit for own in fields(spec.Config) for end, limit in most.items() if own.name.endswith(end)}
    return {**limits, **{name: min(value, limits.get(name, value)) for name, value in options.items()}}


def new_vit(dtype: torch.dtype = torch.float64) -> CLIP:
    """A tiny CLIP with a ViT of 12 pixels, text tokens of 24 channels and CLIP's own tokeniser."""
    return tiny_clip(dtype=dtype, tokenizer=Tokenizer.default(), **_SIZES, **_VIT)


_vit = cache(new_vit)


@cache
def resnet() -> CLIP:
    """A tiny CLIP with a ResNet image tower, in float32."""
    return tiny_clip(tokenizer=Tokenizer.default(), **_SIZES, **_RESNET)


def images(count: int = 4, dtype: torch.dtype = torch.float64, size: int = 12, seed: int = 5) -> Tensor:
    """Random normalised pixels (image, 3, size, size)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, size, size, generator=generator, dtype=torch.float64).to(dtype)


def loss(model: PromptedCLIP, dtype: torch.dtype = torch.float64) -> Tensor:
    """The sum of the loss's parts in training mode, on four images; what the method draws is always the same."""
    views = [images(dtype=dtype) + 0.1 * view for view in range(model.views)]
    model.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = model.losses(views, LABELS).parts
    model.eval()
    return torch.stack(list(parts.values())).sum()


def gradients(model: PromptedCLIP, value: Tensor) -> dict[str, Tensor]:
    """The gradient of each trainable parameter; zeros where `value` does not depend on it."""
    own = model.trainable()
    if not own:
        return {}
    found = torch.autograd.grad(value, list(own.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(own, found, strict=True))


def require(condition: bool, message: str) -> None:
    """Raises AssertionError with this message where the condition does not hold."""
    if not condition:
        raise AssertionError(message)


def require_same(found: Tensor, gold: Tensor, message: str) -> None:
    """Equal but for the rounding of sums in another order, which is below 1e-9 in float64."""
    difference = (found - gold).abs().max().item() if found.shape == gold.shape else float("nan")
    require(torch.allclose(found, gold, atol=1e-9, rtol=1e-9), f"{message}; they differ by {difference:.2g}")


def require_refusal(action: Callable[[], object], words: str, message: str) -> None:
    """`action` must raise a ValueError whose text contains these words."""
    try:
        action()
    except ValueError as error:
        require(words in str(error), f"{message}; it said instead: {error}")
    else:
        raise AssertionError(f"{message}; it was accepted")
