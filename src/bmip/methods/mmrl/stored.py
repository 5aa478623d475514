"""How the released code stores MMRL."""

from __future__ import annotations

from typing import Any

from bmip.prompting import Released, Shapes


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, width = shapes.of("representation_learner.compound_rep_tokens")
    top = shapes.count("representation_learner.compound_rep_tokens_r2vproj.{}.weight")
    return {"slots": slots, "width": width, "top": top}


RELEASED = Released(
    folder="MultiModalPromptLearner",
    strict=True,
    names=lambda config, clip: {
        "prompter.tokens": "representation_learner.compound_rep_tokens",
        "prompter.to_text.each": "representation_learner.compound_rep_tokens_r2tproj",
        "prompter.to_image.each": "representation_learner.compound_rep_tokens_r2vproj",
        "read_out.factors.0": "image_encoder.proj_rep",
    },
    options=released_options,
)
