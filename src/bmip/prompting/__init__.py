"""What a method is made of, and the frozen CLIP with a method around it. A method's module needs this import alone.

`slots` is everywhere the number of prompt tokens that stand in a tower's layer (`n_ctx` in CoOp's code).
"""

from typing import TYPE_CHECKING

from bmip.system.lazy import lazy_names

if TYPE_CHECKING:
    from bmip.class_names import ClassNames
    from bmip.clip.model import CLIP
    from bmip.clip.prompts import LayerView, Prompt, Prompts
    from bmip.clip.text_layout import Position, TextLayout
    from bmip.clip.texts import ClassTexts
    from bmip.prompting.averaging import GaussianAverage
    from bmip.prompting.initial_prompts import (
        DEVIATION,
        check_depth,
        check_slots,
        deep_slots,
        first_slots,
        padded_slots,
        random_slots,
    )
    from bmip.prompting.method import (
        Adapter,
        Average,
        Extras,
        FrozenImages,
        Given,
        Method,
        Prompter,
        Step,
        Teacher,
        Term,
        at_least_float32,
    )
    from bmip.prompting.method_spec import MethodSpec
    from bmip.prompting.preset import Preset

_HOMES = {
    "ClassNames": "bmip.class_names",
    "CLIP": "bmip.clip.model",
    "LayerView": "bmip.clip.prompts",
    "Prompt": "bmip.clip.prompts",
    "Prompts": "bmip.clip.prompts",
    "Position": "bmip.clip.text_layout",
    "TextLayout": "bmip.clip.text_layout",
    "ClassTexts": "bmip.clip.texts",
    "GaussianAverage": "bmip.prompting.averaging",
    "DEVIATION": "bmip.prompting.initial_prompts",
    "check_depth": "bmip.prompting.initial_prompts",
    "check_slots": "bmip.prompting.initial_prompts",
    "deep_slots": "bmip.prompting.initial_prompts",
    "first_slots": "bmip.prompting.initial_prompts",
    "padded_slots": "bmip.prompting.initial_prompts",
    "random_slots": "bmip.prompting.initial_prompts",
    "Adapter": "bmip.prompting.method",
    "Average": "bmip.prompting.method",
    "Extras": "bmip.prompting.method",
    "FrozenImages": "bmip.prompting.method",
    "Given": "bmip.prompting.method",
    "Method": "bmip.prompting.method",
    "Prompter": "bmip.prompting.method",
    "Step": "bmip.prompting.method",
    "Teacher": "bmip.prompting.method",
    "Term": "bmip.prompting.method",
    "at_least_float32": "bmip.prompting.method",
    "MethodSpec": "bmip.prompting.method_spec",
    "Preset": "bmip.prompting.preset",
}

__all__ = [
    "CLIP",
    "DEVIATION",
    "Adapter",
    "Average",
    "ClassNames",
    "ClassTexts",
    "Extras",
    "FrozenImages",
    "GaussianAverage",
    "Given",
    "LayerView",
    "Method",
    "MethodSpec",
    "Position",
    "Preset",
    "Prompt",
    "Prompter",
    "Prompts",
    "Step",
    "Teacher",
    "Term",
    "TextLayout",
    "at_least_float32",
    "check_depth",
    "check_slots",
    "deep_slots",
    "first_slots",
    "padded_slots",
    "random_slots",
]

__getattr__ = lazy_names(__name__, _HOMES)  # so that presets can be read without torch
