"""The faults of the released code, which `build` puts into a BMIP where the options ask for them. (docs/fidelity.md)

The text tower that is one layer short is the prompter's own argument, `text_layers`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from torch import Tensor

from bmip.methods.bmip.gates import GateInput, Learned
from bmip.methods.bmip.prompter import BMIP
from bmip.prompting import LayerView


def set_start_values(image: Sequence[Tensor], *, shared: bool, patch: int) -> None:
    """Give the deeper image prompts the released start, in place: the first one's values for all of them where the
    projection to text is shared, otherwise draws from U(-a, a).

    The bound a is that of visual prompt tuning, for a patch of `patch` x 1 pixels. (trainers/bmip.py:94)
    """
    for prompt in image:
        if shared:
            prompt.copy_(image[0])
        else:
            bound = math.sqrt(6 / (3 * patch + prompt.shape[-1]))
            prompt.uniform_(-bound, bound)


def read_start_token(prompter: BMIP) -> None:
    """Let the text gates read the start token, whose attention to the slots the causal mask makes exactly 0.

    So the weight of a learned gate never gets a gradient.
    """
    prompter.text_input = None
    prompter.dead = frozenset(
        f"text_gates.{place}.weight" for place, gate in enumerate(prompter.text_gates) if isinstance(gate, Learned)
    )


def read_batch_mean(prompter: BMIP) -> None:
    """Let the image gates read the mean over the batch, so that a prediction depends on the other images in it."""
    prompter.image_input = partial(_batch_mean, prompter.image_input)
    prompter.reads_batch = any(gate.reads_attention for gate in prompter.image_gates)


def _batch_mean(read: GateInput, view: LayerView) -> Tensor:
    return read(view).mean(0, keepdim=True)
