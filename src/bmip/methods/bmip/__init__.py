"""BMIP: each tower's deep prompt is mixed with the other tower's, projected; attention sets the shares.

In layer i >= 1 of a tower the slots get share * own_i + (1 - share) * project(other_i), with
share = sigmoid(weight_i * x + bias_i) for each slot, where x tells how much attention this layer pays to what the
slots hold. (IJCAI 2025; LAMDASZ-ML/BMIP, clip/model.py and trainers/bmip.py; docs/fidelity.md lists where we differ)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.bmip.gates import Constant, Gate, Half, Learned, Threshold, gate_input
from bmip.prompting import (
    CLIP,
    ClassNames,
    Given,
    LayerView,
    Method,
    MethodSpec,
    Preset,
    Prompt,
    Prompter,
    Prompts,
    TextLayout,
    check_depth,
    check_slots,
    deep_slots,
    first_slots,
    random_slots,
)


@dataclass(frozen=True)
class Config:
    slots: int = 2
    """In each tower."""

    image_slots: int = 0
    """In the image tower, where that is another number. Slot k mixes with slot k of the other tower, from whose first
    one it goes on where that has fewer."""

    depth: int = 9
    """Layers prompted, from the bottom; the first is not gated."""

    image_depth: int = 0
    """In the image tower, where that is another number. Layers that only one tower prompts are not mixed."""

    context: str = "a photo of a"
    """Words the first text slots start from; with fewer words than slots they start at random."""

    direction: Literal["both", "to-image", "to-text"] = "both"
    """Which towers get something of the other's prompts."""

    share_to_text: bool = True
    """One projection from image to text width for all layers, instead of one each. (SHARE_PARAMETER_VISUAL)"""

    share_to_image: bool = True
    """One projection from text to image width for all layers, instead of one each. (SHARE_PARAMETER_TEXT)"""

    gate: Literal["learned", "constant", "average", "threshold", "concatenation"] = "learned"
    """The share of the own prompt: sigmoid(weight * x + bias); sigmoid(bias); one half; all where x reaches the
    threshold and nothing elsewhere; or both prompts side by side in twice the slots, from the first layer on."""

    threshold: float = 0.0
    """Of the gate's input; with "log" 0 is uniform attention. (WEIGHT_THRESHOLD)"""

    gate_input: Literal["raw", "relative", "log"] = "log"
    """What the gate makes of attention a: a itself, a relative to uniform attention, or the logarithm of that."""

    image_gate: Literal["image", "batch"] = "image"
    """Attention of each image, or its mean over the batch, as released: then predictions depend on the batch."""

    text_gate: Literal["sentence", "class", "start"] = "sentence"
    """The row that is read: [end] of one name-free sentence; [end] of each class, at the cost of computing the slots
    for each class anew; or the start token, as released, whose attention to the slots is masked to exactly 0."""

    text_short: bool = False
    """As released, stop one layer earlier in the text tower."""

    start: Literal["normal", "released"] = "normal"
    """Deeper image prompts start from N(0, 0.02) each; or as released: all equal where the projection to text is
    shared, otherwise uniform."""


class BMIP(Prompter):
    def __init__(
        self,
        config: Config,
        start: Float[Tensor, "slot width"],
        template: str,
        *,
        image_slots: int,
        image_depth: int,
        image_width: int,
        patch: int,
    ) -> None:
        super().__init__()
        self.config, self.template, self.image_slots = config, template, image_slots
        width, depth = start.shape[-1], config.depth
        self.joined = config.gate == "concatenation"
        into_text, into_image = config.direction != "to-image", config.direction != "to-text"

        first = 0 if self.joined else 1
        self.mixed_text = range(first, min(depth - config.text_short, image_depth) if into_text else first)
        self.mixed_image = range(first, min(depth, image_depth) if into_image else first)
        self.text = nn.ParameterList(nn.Parameter(prompt) for prompt in deep_slots(start, depth))
        self.image = nn.ParameterList(random_slots(image_slots, image_width) for _ in range(image_depth - 1))
        if config.start == "released":
            _start_as_released(self.image, shared=config.share_to_text, patch=patch)
        # The first image prompt is a projection of the text's, unless it has to stand for itself.
        own_first = self.joined or not into_image
        self.first_image = random_slots(image_slots, image_width) if own_first else None
        self.first_to_image = None if own_first else nn.Linear(width, image_width)
        self.to_text = _projections(image_width, width, len(self.mixed_text), shared=config.share_to_text)
        self.to_image = _projections(width, image_width, len(self.mixed_image), shared=config.share_to_image)
        gated = 0 if self.joined else 1
        self.text_gates = nn.ModuleList(_gate(config) for _ in range(gated * len(self.mixed_text)))
        self.image_gates = nn.ModuleList(_gate(config) for _ in range(gated * len(self.mixed_image)))
        self.looks = config.gate in ("learned", "threshold")
        self.reads_batch = config.image_gate == "batch" and self.looks and bool(self.image_gates)
        # The start token's attention is exactly 0, so the weight it is multiplied with never learns.
        if config.text_gate == "start" and config.gate == "learned":
            self.dead = frozenset(f"text_gates.{j}.weight" for j in range(len(self.text_gates)))

    def layout(self, classes: ClassNames) -> TextLayout:
        looking = self.looks and len(self.text_gates) > 0
        return TextLayout(
            self.template,
            slots=len(self.text[0]) + (self.image_slots if self.joined and self.mixed_text else 0),
            per_class=looking and self.config.text_gate == "class",
            probe=looking and self.config.text_gate == "sentence",
        )

    def forward(self, given: Given) -> Prompts:
        text = [self._text(layer) for layer in range(len(self.text) - self.config.text_short)]
        return Prompts(text=text, image=[self._image(layer) for layer in range(len(self.image) + 1)])

    def _text(self, layer: int) -> Prompt:
        own = self.text[layer]
        if layer not in self.mixed_text:
            return own[None, None]
        place = layer - self.mixed_text[0]
        other = _of(self.to_text, place)(self._own_image(layer))
        if self.joined:
            return torch.cat([own, other])[None, None]
        return partial(self._mix_text, self.text_gates[place], own, _in_turn(other, len(own)))

    def _image(self, layer: int) -> Prompt:
        if layer == 0 and self.first_to_image is not None:
            return _in_turn(self.first_to_image(self.text[0]), self.image_slots)[None]
        own = self._own_image(layer)
        if layer not in self.mixed_image:
            return own[None]
        place = layer - self.mixed_image[0]
        other = _of(self.to_image, place)(self.text[layer])
        if self.joined:
            return torch.cat([own, other])[None]
        return partial(self._mix_image, self.image_gates[place], own, _in_turn(other, len(own)))

    def _own_image(self, layer: int) -> Tensor:
        return self.image[layer - 1] if layer or self.first_image is None else self.first_image

    def _mix_text(
        self, gate: nn.Module, own: Tensor, other: Tensor, view: LayerView
    ) -> Float[Tensor, "1 class slot width"]:
        if self.looks and self.config.text_gate != "start":
            x = gate_input(view, self.config.gate_input)
        else:
            x = own.new_zeros(1, 1, len(own))
        return _mix(gate(x), own, other)

    def _mix_image(
        self, gate: nn.Module, own: Tensor, other: Tensor, view: LayerView
    ) -> Float[Tensor, "image slot width"]:
        x = gate_input(view, self.config.gate_input) if self.looks else own.new_zeros(1, len(own))
        return _mix(gate(x.mean(0, keepdim=True) if self.reads_batch else x), own, other)


def _mix(share: Float[Tensor, "*lead slot"], own: Tensor, other: Tensor) -> Float[Tensor, "*lead slot width"]:
    return share[..., None] * own + (1 - share[..., None]) * other


def _in_turn(rows: Float[Tensor, "other width"], count: int) -> Float[Tensor, "slot width"]:
    return rows if len(rows) == count else rows[torch.arange(count, device=rows.device) % len(rows)]


def _gate(config: Config) -> Gate:
    if config.gate == "threshold":
        return Threshold(config.threshold)
    return {"learned": Learned, "constant": Constant, "average": Half}[config.gate]()


def _projections(inward: int, outward: int, layers: int, *, shared: bool) -> nn.ModuleList:
    """Where there are several they start from one draw, as released."""
    projections = nn.ModuleList(nn.Linear(inward, outward) for _ in range(min(layers, 1) if shared else layers))
    for later in list(projections)[1:]:
        later.load_state_dict(projections[0].state_dict())
    return projections


def _of(projections: Sequence[nn.Module] | nn.ModuleList, place: int) -> nn.Module:
    return projections[place if len(projections) > 1 else 0]


def _start_as_released(prompts: nn.ParameterList, *, shared: bool, patch: int) -> None:
    """Equal prompts, or U(-a, a) with the a of visual prompt tuning for a patch of `patch` x 1. (bmip.py:94)"""
    with torch.no_grad():
        for prompt in prompts:
            if shared:
                prompt.copy_(prompts[0])
            else:
                bound = math.sqrt(6 / (3 * patch + prompt.shape[-1]))
                prompt.uniform_(-bound, bound)


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    image_slots, image_depth = config.image_slots or config.slots, config.image_depth or config.depth
    check_slots(config.slots, "text")
    check_slots(image_slots, "image")
    check_depth(config.depth, len(clip.text.blocks), "text")
    check_depth(image_depth, len(clip.vit.blocks), "image")
    if config.text_short and config.depth < 2:
        raise ValueError("depth 1 has no deeper layer that the text tower could leave out: set text_short off")
    joined = config.gate == "concatenation"
    if joined and (image_depth != config.depth or config.text_short):
        raise ValueError(
            f"concatenated prompts need both towers equally deep; the text tower has depth "
            f"{config.depth - config.text_short} and the image tower {image_depth}: make them equal"
        )
    taken = config.slots + (image_slots if joined and config.direction != "to-image" else 0)
    template, start = first_slots(clip, config.context, taken)
    prompter = BMIP(
        config,
        start[: config.slots],
        template,
        image_slots=image_slots,
        image_depth=image_depth,
        image_width=clip.vit.width,
        patch=clip.config.patch,
    )
    return Method(prompter=prompter)


_PRESETS = {
    "default": Preset(
        "LAMDASZ-ML/BMIP, configs/trainers/BMIP/BMIP_ctx2_dp9_lr2.yaml, its faults mended (docs/fidelity.md)",
        training={"optimizer": "adam", "lr": 0.002, "epochs": 10, "batch": 4},
    ),
    "released": Preset(
        "LAMDASZ-ML/BMIP, configs/trainers/BMIP/BMIP_ctx2_dp9_lr2.yaml",
        options={
            "gate_input": "raw",
            "image_gate": "batch",
            "text_gate": "start",
            "text_short": True,
            "start": "released",
        },
        training={
            "optimizer": "adam",
            "lr": 0.002,
            "epochs": 10,
            "batch": 4,
            "selection": "best-val",
            "patience": 4,
            "min_epochs": 5,
        },
    ),
}

METHOD = MethodSpec(
    name="bmip",
    summary="BMIP: mixes each tower's deep prompts with the other's, projected, weighted by attention. (IJCAI 2025)",
    Config=Config,
    build=build,
    presets=_PRESETS,
)
