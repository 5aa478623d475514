"""BMIP: each tower's deep prompts are mixed with a projection of the other tower's, weighted by attention.

`builder` makes the prompts from the `options`: those of `prompter`, or of `concatenation`. docs/fidelity.md lists where
they differ from the released code, and `stored` has the names of its checkpoints.
"""

from bmip.methods.bmip.builder import build
from bmip.methods.bmip.options import Config
from bmip.methods.bmip.stored import RELEASED
from bmip.prompting import BOTH_TOWERS, MethodSpec, Preset

METHOD = MethodSpec(
    name="bmip",
    summary="BMIP: mixes each tower's deep prompts with the other's, projected, weighted by attention. (IJCAI 2025)",
    Config=Config,
    build=build,
    prompted=BOTH_TOWERS,
    presets={
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
    },
    released=RELEASED,
)
