"""BMIP's options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Config:
    """The options of BMIP and of its ablations. The names in capitals are those of LAMDASZ-ML/BMIP."""

    slots: int = 2
    """Prompt tokens in each tower."""

    image_slots: int = 0
    """Prompt tokens in the image tower; 0 means as many as `slots`. Token k is mixed with token k of the other tower,
    and the shorter list repeats cyclically."""

    depth: int = 9
    """How many layers get prompts, from the bottom. In the first layer no gate mixes them."""

    image_depth: int = 0
    """How many layers of the image tower get prompts; 0 means as many as `depth`. Layers in which only one tower has
    prompts are not mixed."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `slots` it starts at random."""

    direction: Literal["both", "to-image", "to-text"] = "both"
    """Which towers receive a projection of the other tower's prompts."""

    shared_projection_to_text: bool = True
    """Use one projection from image to text width for all layers, not one for each. (SHARE_PARAMETER_VISUAL)"""

    shared_projection_to_image: bool = True
    """Use one projection from text to image width for all layers, not one for each. (SHARE_PARAMETER_TEXT)"""

    gate: Literal["learned", "constant", "average", "threshold", "concatenation"] = "learned"
    """What gives the gate weight w in w * own + (1 - w) * projected: sigmoid(weight * x + bias), where x tells how much
    attention the layer pays to its slots; sigmoid(bias); one half; or 1 where x reaches the threshold and 0 elsewhere.
    With "concatenation" nothing is mixed: both prompts stand side by side, from the first layer on."""

    threshold: float = 0.0
    """The x from which on a "threshold" gate takes the own prompt; with "log" 0 is uniform attention.
    (WEIGHT_THRESHOLD)"""

    gate_input: Literal["raw", "relative", "log"] = "log"
    """The gate's x, made of the attention to a slot: the attention itself, its ratio to uniform attention, or the
    logarithm of that ratio."""

    image_gate: Literal["image", "batch"] = "image"
    """Whose attention an image gate reads: each image's, or its mean over the batch as in the released code, where
    predictions depend on the batch."""

    text_gate: Literal["sentence", "class", "start"] = "sentence"
    """Whose attention a text gate reads: that of [end] in one sentence without a class name; that of [end] in each
    class's sentence, for which the slots are computed for each class anew; or that of the start token as in the
    released code, which the causal mask makes exactly 0."""

    text_short: bool = False
    """As in the released code, prompt one layer less in the text tower."""

    start: Literal["normal", "released"] = "normal"
    """What the image prompts of deeper layers start from: draws from N(0, 0.02); or as in the released code, all equal
    where the projection to text is shared, and uniform draws otherwise."""
