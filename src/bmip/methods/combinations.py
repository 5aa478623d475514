"""The combinations of two methods that have settings of their own; any other pair adds up as `MethodSpec` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bmip.methods import bmip, cocoop, coprompt, maple, promptsrc
from bmip.methods.bmip.stored import RELEASED
from bmip.prompting.method_spec import MethodSpec
from bmip.run_spec import Preset

_REPOSITORY = {"slots": 4, "teacher": "80"}
_TRAINING = promptsrc.METHOD.presets["default"].training

BMIP_PROMPTSRC = replace(
    bmip.METHOD + promptsrc.METHOD,
    summary="BMIP's prompts under PromptSRC's losses and average. (LAMDASZ-ML/BMIP, trainers/promptsrc_bmip.py)",
    presets={
        "default": Preset(
            "LAMDASZ-ML/BMIP, configs/trainers/PromptSRC_BMIP with SGD: 4 tokens; BMIP's faults mended",
            options=_REPOSITORY,
            training=_TRAINING,
        ),
        "released": Preset(
            "LAMDASZ-ML/BMIP, configs/trainers/PromptSRC_BMIP with Adam",
            options={**_REPOSITORY, **bmip.METHOD.presets["released"].options},
            training={**_TRAINING, "optimizer": "adam"},
        ),
        "cross-dataset": Preset(
            "the authors' BMIPRS repository: 10 epochs, average 6/10; depth 9, which its code reads",
            options={**_REPOSITORY, "average_mean": 6.0, "average_std": 10.0},
            training={**_TRAINING, "epochs": 10},
        ),
    },
    released=replace(
        RELEASED,
        folder="VLPromptLearner",
        unused=(*RELEASED.unused, "prompt_learner.ctx"),
        teachers=("prompt_learner.ZS_image_encoder.",),
    ),
)

BMIP_COPROMPT = replace(
    bmip.METHOD + coprompt.METHOD,
    summary="BMIP's prompts in place of MaPLe's, with CoPrompt's adapters and losses.",
)

# MaPLe has no loss to add; what it has beside its prompts is a projection for each layer and its training.
BMIP_MAPLE = replace(
    bmip.METHOD,
    name="bmip+maple",
    summary="BMIP with a projection for each layer, trained as MaPLe.",
    presets={
        "default": Preset(
            "our own; no code was released",
            {"shared_projection_to_text": False, "shared_projection_to_image": False},
            maple.METHOD.presets["default"].training,
        )
    },
    released=None,
)

COCOOP_PROMPTSRC = replace(
    cocoop.METHOD + promptsrc.METHOD,
    summary="CoCoOp's prompts under PromptSRC's losses and average.",
)

COMBINATIONS: Mapping[str, MethodSpec] = {
    spec.name: spec for spec in (BMIP_PROMPTSRC, BMIP_COPROMPT, BMIP_MAPLE, COCOOP_PROMPTSRC)
}
