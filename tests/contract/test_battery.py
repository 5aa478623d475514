"""The battery finds faults, names the check and says what to do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from bmip.methods import load_method
from bmip.prompting import CLIP, ClassNames, Given, Method, MethodSpec, Preset, Prompter, Prompts, TextLayout
from bmip.testing import cases, check_method, checks, tiny_clip


@dataclass(frozen=True)
class Config:
    fault: str = ""


class Faulty(Prompter):
    """Prompt tokens in the text tower, with one fault."""

    def __init__(self, width: int, fault: str) -> None:
        super().__init__()
        self.fault, self.words = fault, nn.Parameter(torch.randn(2, width))
        if fault == "unused":
            self.unused = nn.Parameter(torch.randn(2, width))
        if fault == "undeclared":
            self.dead = frozenset({"words"})
        self.drawn = torch.rand(()) if fault == "drawn" else torch.tensor(1.0)

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(classes.template, slots=2, per_class=self.fault == "order")

    def forward(self, given: Given) -> Prompts:
        words = self.words * self.drawn
        if self.fault == "order":
            return Prompts(text=[torch.arange(1.0, 7)[None, :, None, None].to(words) * words])
        return Prompts(text=[words[None, None]])


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    if config.fault == "seeds":
        torch.seed()
    return Method(prompter=Faulty(clip.text.width, config.fault))


SOUND = MethodSpec(name="faulty", summary="A test.", Config=Config, build=build, presets={"default": Preset("a test")})


def test_a_sound_method_passes() -> None:
    check_method(SOUND)


def test_a_method_is_found_by_its_name() -> None:
    assert [str(case) for case in cases("zero-shot")] == [
        "zero_shot-default",
        "zero_shot-ensemble",
        "zero_shot-ensemble-imagenet",
        "zero_shot-ensemble-80",
    ]
    with pytest.raises(ValueError, match="is its package installed"):
        check_method("nowhere.to_be_found")


@pytest.mark.parametrize(
    ("fault", "check", "message"),
    [
        ("unused", "every_trainable_parameter_gets_a_gradient", "no gradient reaches prompter.unused: use them"),
        ("undeclared", "the_default_has_no_faults", "has parameters without a gradient"),
        ("drawn", "trainable_parameters_carry_over", "make what `build` draws a parameter"),
        ("seeds", "the_seed_decides_the_start", "draw from torch's global generator alone"),
        ("order", "permuted_classes_permute_the_logits", "treat all classes alike"),
        ("no option", "the_default_has_no_faults", "ValueError: the method 'faulty' has no option 'nothing'"),
    ],
)
def test_a_fault_is_named(fault: str, check: str, message: str) -> None:
    options = {"nothing": 1} if fault == "no option" else {"fault": fault}
    faulty = replace(SOUND, presets={"default": Preset("a test", options)})
    with pytest.raises(AssertionError) as caught:
        check_method(faulty)
    assert f"faulty-default: the check {check!r} fails: " in str(caught.value) and message in str(caught.value)
    assert check in checks()


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("coop", {"prompted": frozenset({"image"})}, "prompts enter the towers: text; declare that as `prompted`"),
        (
            "clip_adapter",
            {"adapted": frozenset()},
            "changes and adapter train: image; declare that as `adapted`",
        ),
        (
            "kgcoop",
            {"watched": frozenset({"image"})},
            "the loss depends on: text; declare that as `watched`",
        ),
    ],
)
def test_a_declaration_for_combinations_that_is_not_true_is_named(name: str, wrong: dict, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_method(replace(load_method(name), **wrong))


def test_a_tiny_clip_leaves_the_global_generator_as_it_is() -> None:
    """Otherwise a check of that would blame the first method for which a CLIP is made."""
    state = torch.random.get_rng_state()
    tiny_clip()
    assert torch.equal(torch.random.get_rng_state(), state)
