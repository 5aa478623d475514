"""BMIP's prompts: from the second layer on, each tower's own are mixed with a projection of the other tower's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.bmip.gates import Gate, GateInput, Learned, log_attention
from bmip.methods.bmip.projections import Projections, cycled
from bmip.prompting import ClassNames, Gauge, Given, LayerView, Prompt, Prompter, Prompts, TextLayout, random_slots


class BMIP(Prompter):
    """Deep prompts in both towers. In layer i >= 1 the slots get w * own_i + (1 - w) * project(other_i).

    A gate gives w for each slot from x, which tells how much attention the layer pays to what its slots hold. In the
    first layer the image prompt is a projection of the text prompt, or its own where nothing flows to the image tower.
    (IJCAI 2025; LAMDASZ-ML/BMIP, clip/model.py and trainers/bmip.py)

    Args:
        template: the sentence around the class name; its first tokens are the slots.
        text: what the text prompts start from, from the first layer on.
        image: what the image prompts start from, from the second layer on; it may be empty.
        image_slots: prompt tokens in the image tower.
        image_width: width of the image tower.
        text_layers: how many of the text prompts enter the text tower; None means all. The others are only projected.
        to_text: whether the text tower receives the image tower's prompts.
        to_image: whether the image tower receives the text tower's prompts.
        shared_projection_to_text: one projection to text width for all layers, not one for each.
        shared_projection_to_image: one projection to image width for all layers, not one for each.
        gate: makes the gate of one layer of one tower.
        gate_input: gives the gates their x.
        gate_per_class: the text gates read the attention of each class's own sentence, and not of one without a name.
    """

    def __init__(
        self,
        template: str,
        text: Sequence[Float[Tensor, "slot text_width"]],
        image: Sequence[Float[Tensor, "image_slot image_width"]],
        *,
        image_slots: int,
        image_width: int,
        text_layers: int | None = None,
        to_text: bool = True,
        to_image: bool = True,
        shared_projection_to_text: bool = True,
        shared_projection_to_image: bool = True,
        gate: Callable[[], Gate] = Learned,
        gate_input: GateInput = log_attention,
        gate_per_class: bool = False,
    ) -> None:
        super().__init__()
        text_width, image_layers = text[0].shape[-1], len(image) + 1
        self.template, self.image_slots, self.gate_per_class = template, image_slots, gate_per_class
        self.text_layers = len(text) if text_layers is None else text_layers
        self.text_input: GateInput | None = gate_input
        """None: x is 0 for every slot."""
        self.image_input: GateInput = gate_input
        self.mixed_text = range(1, min(self.text_layers, image_layers) if to_text else 1)
        self.mixed_image = range(1, min(len(text), image_layers) if to_image else 1)

        self.text = nn.ParameterList(text[: max(self.text_layers, self.mixed_image.stop)])  # and nothing without use
        self.image = nn.ParameterList(image)
        self.first_image = None if to_image else nn.Parameter(random_slots(image_slots, image_width))
        self.first_to_image = nn.Linear(text_width, image_width) if to_image else None
        self.to_text = Projections(image_width, text_width, len(self.mixed_text), shared=shared_projection_to_text)
        self.to_image = Projections(text_width, image_width, len(self.mixed_image), shared=shared_projection_to_image)
        self.text_gates = nn.ModuleList(gate() for _ in self.mixed_text)
        self.image_gates = nn.ModuleList(gate() for _ in self.mixed_image)

    def layout(self, classes: ClassNames) -> TextLayout:
        reads = self.text_input is not None and any(gate.reads_attention for gate in self.text_gates)
        return TextLayout(
            self.template,
            slots=len(self.text[0]),
            per_class=reads and self.gate_per_class,
            probe=reads and not self.gate_per_class,
        )

    def forward(self, given: Given) -> Prompts:
        return Prompts(
            text=[self._text(layer) for layer in range(self.text_layers)],
            image=[self._first_image(), *(self._image(layer) for layer in range(1, len(self.image) + 1))],
        )

    def gauges(self) -> list[Gauge]:
        text = [Gauge("gate weight", "text", layer + 1, self.text_gates[layer - 1]) for layer in self.mixed_text]
        image = [Gauge("gate weight", "image", layer + 1, self.image_gates[layer - 1]) for layer in self.mixed_image]
        return text + image

    def _first_image(self) -> Prompt:
        if self.first_to_image is not None:
            return cycled(self.first_to_image(self.text[0]), self.image_slots)[None]
        assert self.first_image is not None
        return self.first_image[None]

    def _text(self, layer: int) -> Prompt:
        own = self.text[layer]
        if layer not in self.mixed_text:
            return own[None, None]
        projected = self.to_text(layer - 1, self.image[layer - 1])
        return partial(_mix, self.text_gates[layer - 1], self.text_input, own[None, None], cycled(projected, len(own)))

    def _image(self, layer: int) -> Prompt:
        own = self.image[layer - 1]
        if layer not in self.mixed_image:
            return own[None]
        projected = self.to_image(layer - 1, self.text[layer])
        return partial(_mix, self.image_gates[layer - 1], self.image_input, own[None], cycled(projected, len(own)))


def _mix(
    gate: nn.Module,
    read: GateInput | None,
    own: Float[Tensor, "*#lead slot width"],
    projected: Float[Tensor, "slot width"],
    view: LayerView,
) -> Float[Tensor, "*lead slot width"]:
    x = read(view) if read is not None and gate.reads_attention else own.new_zeros(own.shape[:-1])
    w = gate(x)[..., None]
    return w * own + (1 - w) * projected
