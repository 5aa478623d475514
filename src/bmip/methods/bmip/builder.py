"""From BMIP's options to its prompts: the parts drawn in order, put together, and given the released faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from bmip.methods.bmip.concatenation import Concatenation
from bmip.methods.bmip.gates import (
    Constant,
    Gate,
    GateInput,
    Half,
    Learned,
    Threshold,
    log_attention,
    raw_attention,
    relative_attention,
)
from bmip.methods.bmip.options import Config
from bmip.methods.bmip.prompter import BMIP
from bmip.methods.bmip.released import read_batch_mean, read_start_token, set_start_values
from bmip.prompting import CLIP, ClassNames, Method, check_depth, check_slots, deep_slots, first_slots, random_slots

_INPUTS: Mapping[str, GateInput] = {"raw": raw_attention, "relative": relative_attention, "log": log_attention}


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """BMIP, or its ablation with concatenated prompts.

    Raises ValueError for slots and depths that do not fit the towers, or each other.
    """
    image_slots, image_depth = config.image_slots or config.slots, config.image_depth or config.depth
    _check(config, clip, image_slots, image_depth)
    concatenated = config.gate == "concatenation"
    to_text, to_image = config.direction != "to-image", config.direction != "to-text"
    taken = config.slots + (image_slots if concatenated and to_text else 0)
    template, start = first_slots(clip, config.context, taken)
    text = deep_slots(start[: config.slots], config.depth)
    image = [random_slots(image_slots, clip.vit.width) for _ in range(image_depth - 1)]
    if config.start == "released":
        set_start_values(image, shared=config.shared_projection_to_text, patch=clip.config.patch)
    if concatenated:
        return Method(
            prompter=Concatenation(
                template,
                text,
                image,
                image_slots=image_slots,
                image_width=clip.vit.width,
                to_text=to_text,
                to_image=to_image,
                shared_projection_to_text=config.shared_projection_to_text,
                shared_projection_to_image=config.shared_projection_to_image,
            )
        )
    prompter = BMIP(
        template,
        text,
        image,
        image_slots=image_slots,
        image_width=clip.vit.width,
        text_layers=config.depth - config.text_short,
        to_text=to_text,
        to_image=to_image,
        shared_projection_to_text=config.shared_projection_to_text,
        shared_projection_to_image=config.shared_projection_to_image,
        gate=_gate(config),
        gate_input=_INPUTS[config.gate_input],
        gate_per_class=config.text_gate == "class",
    )
    if config.text_gate == "start":
        read_start_token(prompter)
    if config.image_gate == "batch":
        read_batch_mean(prompter)
    return Method(prompter=prompter)


def _gate(config: Config) -> Callable[[], Gate]:
    if config.gate == "threshold":
        return partial(Threshold, config.threshold)
    return {"learned": Learned, "constant": Constant, "average": Half}[config.gate]


def _check(config: Config, clip: CLIP, image_slots: int, image_depth: int) -> None:
    check_slots(config.slots, "text")
    check_slots(image_slots, "image")
    check_depth(config.depth, len(clip.text.blocks), "text")
    check_depth(image_depth, len(clip.vit.blocks), "image")
    if config.text_short and config.depth < 2:
        raise ValueError("depth 1 has no deeper layer that the text tower could leave out: set text_short off")
    if config.gate == "concatenation" and (image_depth != config.depth or config.text_short):
        raise ValueError(
            f"concatenated prompts need both towers equally deep; the text tower has depth "
            f"{config.depth - config.text_short} and the image tower {image_depth}: make them equal"
        )
