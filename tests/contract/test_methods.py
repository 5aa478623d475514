"""What every method promises, asked of each one that is there, in every preset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bmip.methods import combination_names, load_method, method_names
from bmip.testing import Case, cases, checks
from bmip.testing.case import shallow

PAIRS = (
    "kgcoop+promptsrc", "vpt+coprompt", "bmip+mmrl", "vpt+mmrlpp", "bmip+mma", "bmip+clip_lora", "bmip+tcp",
    "bmip+hicropl",
)  # fmt: skip
METHODS = (*method_names(), *combination_names(), *PAIRS, "examples.shallow_text")

# Options worth the whole battery beside the presets.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "bmip": [
        {"text_gate": "class"},
        {"gate_input": "raw"},
        {"gate_input": "relative", "slots": 4},
        {"shared_projection_to_text": False, "shared_projection_to_image": False},
        {"slots": 6, "depth": 2},
        {"depth": 1, "image_depth": 0},
        {"depth": 1},
        {"slots": 3, "image_slots": 2},
        {"direction": "to-image"},
        {"direction": "to-text"},
        {"gate": "constant"},
        {"gate": "average", "text_gate": "class"},
        {"gate": "concatenation"},
        {"gate": "concatenation", "depth": 1, "image_depth": 1},
        {"gate": "concatenation", "direction": "to-text", "shared_projection_to_text": False, "image_slots": 1},
    ],
    "ivlp": [{"text_slots": 5, "image_slots": 1, "text_depth": 1}],
    "coop": [
        {"position": "middle"},
        {"position": "front", "slots": 5},
        {"class_specific": True},
        {"class_specific": True, "slots": 6},
        {"slots": 8, "padded": True},
    ],
    "mma": [{"adapter_top": 1}],
    "clip_lora": [{"lora_towers": "text"}, {"lora_towers": "image", "lora_rank": 1}],
    "mmrl": [{"top": 3, "slots": 1}],
    "tcp": [{"slots": 1, "top": 1}],
    "proda": [{"prompts": 4, "slots": 3}],
}


def all_cases() -> list[Case]:
    found = []
    for name in METHODS:
        spec = load_method(name)
        found += cases(spec)
        for options in VARIANTS.get(name, []):
            words = ",".join(f"{k}={v}" for k, v in options.items())
            found.append(Case(spec, words, shallow(spec, options)))
    return found


@pytest.mark.parametrize("case", all_cases(), ids=str)
@pytest.mark.parametrize("check", checks().values(), ids=checks())
def test_every_method(check: Callable[[Case], None], case: Case) -> None:
    check(case)


def test_wrong_tensors_are_listed() -> None:
    model = Case(load_method("maple"), "shallow", {"depth": 2}).model()
    tensors = dict(model.trainable())
    tensors["prompter.extra"] = tensors.pop("prompter.text.1")
    tensors["prompter.text.0"] = torch.zeros(3, 3)
    with pytest.raises(
        ValueError, match=r"missing: prompter.text.1; unexpected: prompter.extra; shape: prompter.text.0"
    ):
        model.load_trainable(tensors)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bmpi", {}, "did you mean 'bmip'"),
        ("bmip", {"depht": 3}, "did you mean 'depth'"),
        ("bmip", {"depth": 4}, "has 3 layers"),
        ("nowhere.to.be.found", {}, "is its package installed"),
        ("json.decoder", {}, "its module needs METHOD"),
    ],
)
def test_names_and_options_that_do_not_exist(name: str, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Case(load_method(name), "wrong", options).model()
