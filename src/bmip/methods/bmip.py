"""BMIP: each tower's deep prompt is mixed with the other tower's, projected; attention sets the shares.

In layer i >= 1 of a tower the slots get share * own_i + (1 - share) * project(other_i), with
share = sigmoid(weight_i * x + bias_i) for each slot, where x tells how much attention this layer pays to what the
slots hold. (IJCAI 2025; LAMDASZ-ML/BMIP, clip/model.py and trainers/bmip.py; docs/fidelity.md lists where we differ)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.model import CLIP
from bmip.clip.texts import ClassNames, TextLayout
from bmip.method import Given, Method, Preset, Prompter
from bmip.prompts import LayerView, Prompts
from bmip.slots import check_depth, first_slots, random_slots

GateInput = Literal["raw", "relative", "log"]


@dataclass(frozen=True)
class Config:
    slots: int = 2
    """In each tower; slot k of one tower mixes with slot k of the other."""

    depth: int = 9
    """Layers prompted in both towers, from the bottom; the first is not gated."""

    context: str = "a photo of a"
    """Words the first text slots start from; with fewer words than slots they start at random."""

    share_to_text: bool = True
    """One projection from image to text width for all layers, instead of one each. (SHARE_PARAMETER_VISUAL)"""

    share_to_image: bool = True
    """One projection from text to image width for all layers, instead of one each. (SHARE_PARAMETER_TEXT)"""

    gate_input: GateInput = "log"
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


class Gate(nn.Module):
    """An affine map and a sigmoid, from a number about attention to the share of a tower's own prompt."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(()).uniform_(-1, 1))  # torch's default for one input
        self.bias = nn.Parameter(torch.empty(()).uniform_(-1, 1))

    def forward(self, x: Float[Tensor, "*lead slot"]) -> Float[Tensor, "*lead slot"]:
        return torch.sigmoid(self.weight * x + self.bias)


class BMIP(Prompter):
    def __init__(
        self, config: Config, start: Float[Tensor, "slot width"], template: str, *, image_width: int, patch: int
    ) -> None:
        super().__init__()
        self.config, self.template = config, template
        slots, width = start.shape
        deeper = config.depth - 1
        self.text = nn.ParameterList([nn.Parameter(start), *(random_slots(slots, width) for _ in range(deeper))])
        self.image = nn.ParameterList(random_slots(slots, image_width) for _ in range(deeper))
        if config.start == "released":
            _start_as_released(self.image, shared=config.share_to_text, patch=patch)
        self.first_to_image = nn.Linear(width, image_width)
        in_text = deeper - config.text_short
        self.to_text = _projections(image_width, width, min(in_text, 1) if config.share_to_text else in_text)
        self.to_image = _projections(width, image_width, min(deeper, 1) if config.share_to_image else deeper)
        self.text_gates = nn.ModuleList(Gate() for _ in range(in_text))
        self.image_gates = nn.ModuleList(Gate() for _ in range(deeper))
        self.reads_batch = config.image_gate == "batch"
        # The start token's attention is exactly 0, so the weight it is multiplied with never learns.
        if config.text_gate == "start":
            self.dead = frozenset(f"text_gates.{j}.weight" for j in range(in_text))

    def layout(self, classes: ClassNames) -> TextLayout:
        reading = self.config.text_gate
        return TextLayout(
            self.template,
            slots=self.text[0].shape[0],
            per_class=reading == "class",
            probe=reading == "sentence" and len(self.text) > 1,
        )

    def forward(self, given: Given) -> Prompts:
        first = self.first_to_image(self.text[0])
        text = [
            partial(self._mix_text, gate, self.text[j + 1], _of(self.to_text, j)(self.image[j]))
            for j, gate in enumerate(self.text_gates)
        ]
        image = [
            partial(self._mix_image, gate, self.image[j], _of(self.to_image, j)(self.text[j + 1]))
            for j, gate in enumerate(self.image_gates)
        ]
        return Prompts(text=[self.text[0][None, None], *text], image=[first[None], *image])

    def _mix_text(
        self, gate: nn.Module, own: Tensor, other: Tensor, view: LayerView
    ) -> Float[Tensor, "1 class slot width"]:
        if self.config.text_gate == "start":
            x = own.new_zeros(1, 1, own.shape[0])
        else:
            x = _gate_input(view, self.config.gate_input)
        return _mix(gate(x), own, other)

    def _mix_image(
        self, gate: nn.Module, own: Tensor, other: Tensor, view: LayerView
    ) -> Float[Tensor, "image slot width"]:
        x = _gate_input(view, self.config.gate_input)
        return _mix(gate(x.mean(0, keepdim=True) if self.reads_batch else x), own, other)


def _mix(share: Float[Tensor, "*lead slot"], own: Tensor, other: Tensor) -> Float[Tensor, "*lead slot width"]:
    return share[..., None] * own + (1 - share[..., None]) * other


def _gate_input(view: LayerView, kind: GateInput) -> Float[Tensor, "*lead slot"]:
    """Attention to one of 199 keys is about 0.005 and hardly moves a sigmoid; relative to uniform it is about 1."""
    attention = view.attention()
    if kind == "raw":
        return attention
    relative = attention * view.reach
    return relative if kind == "relative" else relative.clamp_min(1e-6).log()


def _projections(inward: int, outward: int, count: int) -> nn.ModuleList:
    """Where there are several they start from one draw, as released."""
    layers = nn.ModuleList(nn.Linear(inward, outward) for _ in range(count))
    for layer in list(layers)[1:]:
        layer.load_state_dict(layers[0].state_dict())
    return layers


def _of(projections: nn.ModuleList, layer: int) -> nn.Module:
    return projections[layer if len(projections) > 1 else 0]


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
    check_depth(config.depth, min(len(clip.text.blocks), len(clip.vit.blocks)), "shallower")
    if config.text_short and config.depth < 2:
        raise ValueError("depth 1 has no deeper layer that the text tower could leave out: set text_short off")
    template, start = first_slots(clip, config.context, config.slots)
    prompter = BMIP(config, start, template, image_width=clip.vit.width, patch=clip.config.patch)
    return Method(prompter=prompter)


PRESETS = {
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
