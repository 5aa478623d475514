"""What a method is made of, and the frozen CLIP with a method around it. A method's module needs this import alone.

`slots` is everywhere the number of prompt tokens that stand in a tower's layer (`n_ctx` in CoOp's code).
"""

from bmip.class_names import ClassNames
from bmip.clip.block import quick_gelu
from bmip.clip.model import CLIP
from bmip.clip.prompts import LayerView, Prompt, Prompts
from bmip.clip.text_layout import Position, TextLayout
from bmip.clip.texts import ClassTexts
from bmip.prompting.averaging import GaussianAverage
from bmip.prompting.described import DescribedClasses
from bmip.prompting.frozen import FrozenImages, Teacher, at_least_float32
from bmip.prompting.head import Head, Support
from bmip.prompting.head import accuracy as head_accuracy
from bmip.prompting.initial_prompts import (
    bare_template,
    deep_slots,
    first_slots,
    padded_slots,
    random_slots,
)
from bmip.prompting.low_rank import LowRank, LowRankLinear
from bmip.prompting.method import (
    Adapter,
    Average,
    Changes,
    Extras,
    Gauge,
    Given,
    Method,
    Prompter,
    ReadOut,
    Step,
    Term,
)
from bmip.prompting.method_spec import BOTH_TOWERS, MethodSpec
from bmip.prompting.option_checks import (
    check_depth,
    check_heads,
    check_passes,
    check_positive,
    check_share,
    check_slots,
    check_top,
)
from bmip.prompting.released import Released, Shapes, Stored
from bmip.run_spec import Preset, Tuned

__all__ = [
    "BOTH_TOWERS",
    "CLIP",
    "Adapter",
    "Average",
    "Changes",
    "ClassNames",
    "ClassTexts",
    "DescribedClasses",
    "Extras",
    "FrozenImages",
    "Gauge",
    "GaussianAverage",
    "Given",
    "Head",
    "LayerView",
    "LowRank",
    "LowRankLinear",
    "Method",
    "MethodSpec",
    "Position",
    "Preset",
    "Prompt",
    "Prompter",
    "Prompts",
    "ReadOut",
    "Released",
    "Shapes",
    "Step",
    "Stored",
    "Support",
    "Teacher",
    "Term",
    "TextLayout",
    "Tuned",
    "at_least_float32",
    "bare_template",
    "check_depth",
    "check_heads",
    "check_passes",
    "check_positive",
    "check_share",
    "check_slots",
    "check_top",
    "deep_slots",
    "first_slots",
    "head_accuracy",
    "padded_slots",
    "quick_gelu",
    "random_slots",
]
