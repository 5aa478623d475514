"""How the released code stores HiCroPL."""

from __future__ import annotations

from typing import Any

from bmip.methods.hicropl.options import Config
from bmip.prompting import CLIP, Released, Shapes, Stored


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    learner = "prompt_learner."
    found: dict[str, str | Stored] = {
        "prompter.text.0": f"{learner}ctx",
        "prompter.text": f"{learner}cross_prompts_text",
        "prompter.image": f"{learner}cross_prompts_visual",
    }
    for tower, theirs, layers in (("text", "text", config.depth - config.top), ("image", "visual", config.top)):
        for k in range(layers):
            pooler = f"{learner}attn_pooling_{theirs}_nets.{k}"
            found[f"prompter.{tower}_poolers.{k}"] = pooler
            found[f"prompter.{tower}_poolers.{k}.attention"] = f"{pooler}.attn"
            found[f"prompter.{tower}_poolers.{k}.proxy"] = f"{learner}{theirs}_proxy_token.{k}"
    parts = {
        "q": "linear_q",
        "k": "linear_k",
        "v": "linear_v",
        "attention": "attn",
        "up": "ffn.c_fc",
        "down": "ffn.c_proj",
    }
    for ours, theirs in (("to_image", "text2visual_net"), ("to_text", "visual2text_net")):
        found[f"prompter.{ours}"] = f"{learner}{theirs}"
        found |= {f"prompter.{ours}.{part}": f"{learner}{theirs}.{name}" for part, name in parts.items()}
    return found


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, _ = shapes.of("prompt_learner.ctx")
    depth = shapes.count("prompt_learner.cross_prompts_visual.{}")
    return {"slots": slots, "depth": depth, "top": shapes.count("prompt_learner.visual_proxy_token.{}")}


RELEASED = Released(
    folder="VLPromptLearner",
    names=released_names,
    options=released_options,
    unused=(
        "prompt_learner.cross_prompts_text.0",  # the same as ctx
        "prompt_learner.*_net.linear_k.*",  # where a single layer is read
    ),
    teachers=("prompt_learner.ZS_image_encoder.",),
    fixed=("heads", "written_back"),
)
