"""MMRL: tokens of one space enter the upper layers of both towers, and a read-out of theirs adds logits.

(Guo & Gu 2025, CVPR; yunncheng/MMRL, trainers/mmrl.py) `builder` makes the prompts of `prompter`, and the `read_out`
that MMRL adds to any prompts, from the `options`. `stored` has the names of the released checkpoints.
"""

from bmip.methods.mmrl.builder import build, extras
from bmip.methods.mmrl.options import Config, Extra
from bmip.methods.mmrl.stored import RELEASED
from bmip.prompting import BOTH_TOWERS, MethodSpec, Preset, Tuned

_SOURCE = "yunncheng/MMRL, configs/trainers/MMRL and scripts/mmrl"
TRAINING = {"optimizer": "adamw", "lr": 0.001, "epochs": 10, "batch": 4}

_NEARNESS = {
    "imagenet": 0.5, "caltech101": 0.5, "oxford_pets": 0.2, "stanford_cars": 7.0, "oxford_flowers": 4.0,
    "food101": 5.0, "fgvc_aircraft": 6.0, "sun397": 6.0, "dtd": 6.0, "eurosat": 0.01, "ucf101": 3.0,
}  # fmt: skip
LARGE = {"lr": 0.001, "epochs": 5, "batch": 32}
"""On ImageNet, with few shots, too. (configs/trainers/MMRL and MMRLpp, vit_b16_imagenet.yaml)"""

_TUNED = {
    **{data: Tuned({"nearness": weight}) for data, weight in _NEARNESS.items()},
    "imagenet": Tuned({"nearness": _NEARNESS["imagenet"]}, LARGE),
    "eurosat": Tuned({"nearness": _NEARNESS["eurosat"], "width": 2048}),
}
"""What is chosen for each data set. (scripts/mmrl/base2new_train.sh)"""

METHOD = MethodSpec(
    name="mmrl",
    summary="MMRL: tokens of one space in the upper layers of both towers, read out beside CLIP. (Guo & Gu 2025, CVPR)",
    Config=Config,
    build=build,
    parts=frozenset({"read_out"}),
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(f"{_SOURCE}, base to novel; one rule for all classes (docs/fidelity.md)", training=TRAINING),
        "released": Preset(f"{_SOURCE}, base to novel", {"trained_classes_only": True}, TRAINING, by_data=_TUNED),
        "few-shot": Preset(f"{_SOURCE}, few shots", training={**TRAINING, "epochs": 50, "batch": 32}, by_data=_TUNED),
        "cross-dataset": Preset(
            f"{_SOURCE}, across data sets: 1 epoch without warm-up on ImageNet; one rule for all classes",
            {"nearness": 0.2},
            {**TRAINING, "epochs": 1, "batch": 32, "warmup_epochs": 0},
        ),
    },
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
