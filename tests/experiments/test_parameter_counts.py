"""How much every method learns on ViT-B/16, against the numbers that papers and released code give."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bmip.clip.model import CLIP
from bmip.clip.tokenizer import Tokenizer
from bmip.experiments.parameter_counts import VIT_B_16, trainable_parameters
from bmip.experiments.presets import presets
from bmip.methods import combination_names, method_names

TEXT, IMAGE, OUT = 512, 768, 512
TO_IMAGE, TO_TEXT = TEXT * IMAGE + IMAGE, IMAGE * TEXT + TEXT
SEPARATE = {"shared_projection_to_text": False, "shared_projection_to_image": False}


def upt(slots: int, depth: int, inner: int) -> int:
    """The first prompts of both towers; for each deeper layer a joint one and its transformer layer."""
    width = TEXT + IMAGE
    attention = width * 3 * width + 3 * width + width * width + width
    hidden = width * inner + inner + inner * width + width
    norms = 2 * (width + width)
    return slots * width + (depth - 1) * (slots * width + attention + hidden + norms)


def bmip(slots: int, depth: int, *, text_depth: int, maps_to_text: int, maps_to_image: int) -> int:
    """`text_depth`: how deep the text tower is really prompted."""
    prompts = slots * (TEXT * depth + IMAGE * (depth - 1))
    gates = 2 * (text_depth - 1) + 2 * (depth - 1)
    return prompts + TO_IMAGE + maps_to_image * TO_IMAGE + maps_to_text * TO_TEXT + gates


ADAPTERS = 2 * 2 * OUT * (OUT // 4)

COUNTS = [
    ("zero_shot", "default", {}, 0),
    ("zero_shot", "ensemble-80", {}, 0),
    ("coop", "default", {}, 2_048),
    ("coop", "released", {}, 8_192),
    ("coop", "bmip-repository", {}, 8_192),
    ("cocoop", "default", {}, 35_360),
    ("vpt", "default", {}, 73_728),
    ("deep_language", "default", {}, 24_576),
    ("ivlp", "default", {}, 30_720),
    ("ivlp", "promptsrc-repository", {}, 46_080),
    ("maple", "default", {}, 3_555_072),
    ("maple", "cross-dataset", {}, 1_185_024),
    ("promptsrc", "default", {}, 46_080),
    ("tcp", "released", {}, 4 * 512 + (512 * 128 + 128) + (128 * 4 * 512 + 4 * 512)),
    ("coprompt", "default", {}, 3_817_216),
    ("kgcoop", "default", {}, 2_048),
    ("prograd", "default", {}, 8_192),
    ("tcp", "default", {}, 331_904),
    ("mmrl", "default", {}, 4_992_256),
    ("mmrlpp", "default", {}, 813_312),
    ("hicropl", "default", {}, 33_431_040),
    ("hicropl", "cross-dataset", {}, 20_316_416 - TO_TEXT),  # a map of keys that decides nothing
    ("mma", "default", {}, 674_560),
    ("clip_lora", "default", {}, 184_320),
    ("clip_adapter", "default", {}, 131_072),
    ("linear_probe", "default", {}, 512 + 1),
    ("lp_plus_plus", "default", {}, 512 + 2),
    ("tip_adapter", "default", {}, 0),
    ("proda", "default", {}, 262_144),
    ("upt", "default", {}, upt(slots=2, depth=9, inner=2048)),
    ("upt", "released", {}, upt(slots=2, depth=9, inner=2048)),
    ("bmip", "released", {}, 1_203_230),
    ("bmip", "released", SEPARATE, 6_323_486),
    ("bmip", "default", {}, bmip(2, 9, text_depth=9, maps_to_text=1, maps_to_image=1)),
    ("bmip+promptsrc", "released", {}, bmip(4, 9, text_depth=8, maps_to_text=1, maps_to_image=1)),
    ("bmip+coprompt", "default", {}, bmip(2, 9, text_depth=9, maps_to_text=1, maps_to_image=1) + ADAPTERS),
    ("bmip+maple", "default", {}, bmip(2, 9, text_depth=9, maps_to_text=8, maps_to_image=8)),
    ("cocoop+promptsrc", "default", {}, 35_360),
]


@pytest.mark.parametrize(("method", "preset", "options", "count"), COUNTS)
def test_trained_values(method: str, preset: str, options: dict[str, Any], count: int) -> None:
    assert trainable_parameters(method, {**presets(method)[preset].options, **options}) == count


@pytest.mark.parametrize(
    ("method", "preset", "data", "count"),
    [("coprompt", "released", "imagenet", 5_014_528), ("mmrl", "released", "eurosat", 18_762_496)],
)
def test_settings_for_one_data_set(method: str, preset: str, data: str, count: int) -> None:
    assert trainable_parameters(method, presets(method)[preset].on(data).options) == count


def test_no_method_is_left_out() -> None:
    assert {method for method, *_ in COUNTS} == {*method_names(), *combination_names()}


def test_the_formula_for_bmip_gives_the_known_numbers() -> None:
    assert bmip(2, 9, text_depth=8, maps_to_text=1, maps_to_image=1) == 1_203_230
    assert bmip(2, 9, text_depth=8, maps_to_text=7, maps_to_image=8) == 6_323_486


def test_contexts_of_each_class_count_once_a_class() -> None:
    assert trainable_parameters("coop", {"class_specific": True}, classes=100) == 100 * 2_048


@pytest.mark.parametrize(("method", "count"), [("linear_probe", 513), ("lp_plus_plus", 514), ("tip_adapter", 0)])
def test_heads_count_for_each_class(method: str, count: int) -> None:
    """What Tip-Adapter remembers depends on the images, so it is not known before."""
    assert trainable_parameters(method, {}, classes=100) == 100 * count


def test_clip_s_own_values() -> None:
    with torch.device("meta"):
        clip = CLIP(VIT_B_16, Tokenizer.default())
    assert sum(parameter.numel() for parameter in clip.parameters()) == 149_620_737
