"""How the released code stores BMIP: everything of CLIP, and of BMIP also what it never uses. (docs/fidelity.md)"""

from __future__ import annotations

from typing import Any

from bmip.methods.bmip.options import Config
from bmip.prompting import CLIP, Released, Shapes, Stored

_GATES = (("text", "text_encoder", 2), ("image", "image_encoder", 1))
"""Our tower, theirs, and the number of the linear map that its gates use."""


def _names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    shared_to_text, shared_to_image = config.shared_projection_to_text, config.shared_projection_to_image
    learner, each = "prompt_learner.", "compound_prompt_projections"
    found: dict[str, str | Stored] = {
        "prompter.text.0": f"{learner}ctx_t",
        **{f"prompter.text.{i}": f"{learner}compound_prompts_text.{i - 1}" for i in range(1, config.depth)},
        "prompter.image": f"{learner}compound_prompts_visual",
        "prompter.first_to_image": f"{learner}proj_t",
        **({"prompter.to_text.0": f"{learner}single_layer_v"} if shared_to_text else {}),
        **({"prompter.to_image.0": f"{learner}single_layer_t"} if shared_to_image else {}),
        "prompter.to_text": f"{learner}{each}_v",
        "prompter.to_image": f"{learner}{each}_t",
    }
    for ours, theirs, number in _GATES:
        for i in range(1, config.depth):
            block = f"{theirs}.transformer.resblocks.{i}.learnable_linear{number}"
            found[f"prompter.{ours}_gates.{i - 1}.weight"] = Stored(f"{block}.weight", (1, 1))
            found[f"prompter.{ours}_gates.{i - 1}.bias"] = Stored(f"{block}.bias", (1,))
    return found


def _options(shapes: Shapes) -> dict[str, Any]:
    slots, _ = shapes.of("prompt_learner.ctx_t")
    return {
        "slots": slots,
        "depth": 1 + shapes.count("prompt_learner.compound_prompts_text.{}"),
        "shared_projection_to_text": "prompt_learner.single_layer_v.weight" in shapes,
        "shared_projection_to_image": "prompt_learner.single_layer_t.weight" in shapes,
    }


RELEASED = Released(
    folder="MultiModalPromptLearner",
    names=_names,
    options=_options,
    unused=(
        "prompt_learner.ctx_v",
        "prompt_learner.proj_v.*",
        "prompt_learner.exchange_layer_[tv].*",
        "prompt_learner.compound_exchange_[tv].*",
        "prompt_learner.compound_prompt_projections_v.*",  # the last one
        "*.learnable_linear[12].*",
    ),
    fixed=(
        "image_slots", "image_depth", "direction", "gate", "gate_input", "image_gate", "text_gate", "text_short",
    ),
)  # fmt: skip
