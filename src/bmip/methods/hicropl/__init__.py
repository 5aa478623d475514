"""HiCroPL: in lower layers the text prompts make the image prompts, in upper layers the other way. (Zheng et al. 2025)

(zzeoZheng/HiCroPL, trainers/hicropl.py) `builder` makes the prompts of `prompter`, whose `networks` map them, and what
HiCroPL adds to any prompts (`nearness`) from the `options`. `stored` has the names of the released checkpoints.
"""

from bmip.methods.hicropl.builder import build, extras
from bmip.methods.hicropl.options import Config, Extra
from bmip.methods.hicropl.stored import RELEASED
from bmip.prompting import BOTH_TOWERS, MethodSpec, Preset

_SOURCE = "zzeoZheng/HiCroPL, configs/trainers/HiCroPL, base to novel and few shots"
_TRAINING = {"optimizer": "adam", "eps": 1e-3, "lr": 0.0025, "epochs": 50, "batch": 32}

METHOD = MethodSpec(
    name="hicropl",
    summary="HiCroPL: text prompts make image prompts below, and the other way above. (Zheng et al. 2025, ICCV)",
    Config=Config,
    build=build,
    parts=frozenset({"adapter"}),
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(f"{_SOURCE}; with the gradient that the paper describes", training=_TRAINING),
        "released": Preset(_SOURCE, {"written_back": True}, _TRAINING),
        "cross-dataset": Preset(
            "zzeoZheng/HiCroPL, configs/trainers/HiCroPL, across data sets; with the gradient",
            {"slots": 2, "depth": 6, "top": 1},
            {**_TRAINING, "epochs": 5},
        ),
    },
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
