"""The plain computation that ours is timed against gives the released method's logits and gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from benchmarks.contestants import random_clip
from benchmarks.plain import Plain
from benchmarks.plain_cocoop import PlainCoCoOp
from bmip.class_names import ClassNames
from bmip.experiments.parameter_counts import VIT_B_16
from bmip.methods import build_model, load_method
from tests.golden import recipe
from tests.golden.test_methods import released

TINY = replace(
    VIT_B_16, image_size=48, image_width=48, image_layers=4, image_heads=3, text_width=32, text_layers=4, text_heads=2
)
NAMES = ("heron", "red_brick wall", "an unusually long name for a class here", "axolotl", "St. Bernard")
RELEASED = load_method("bmip").presets["released"].options


def test_plain_equals_the_released_code() -> None:
    case, model, _ = released("bmip_shareTT")
    with torch.no_grad():
        logits = Plain(model.clip, model.prompter, case.names).logits(recipe.images())
    torch.testing.assert_close(logits, case.gold["logits"], atol=2e-4, rtol=0)


@pytest.mark.parametrize(
    "options",
    [
        {"depth": 3},
        {"depth": 4, "slots": 4, "shared_projection_to_text": False, "shared_projection_to_image": False},
    ],
)
def test_plain_equals_ours(options: dict[str, object]) -> None:
    clip = random_clip(TINY, "float32")
    classes = ClassNames(NAMES)
    model = build_model("bmip", {**RELEASED, **options}, clip, classes, seed=3)
    plain = Plain(clip, model.prompter, NAMES)
    images, labels = torch.randn(3, 3, 48, 48, generator=torch.Generator().manual_seed(0)), torch.tensor([4, 0, 2])

    ours = model(images, classes)
    F.cross_entropy(ours, labels).backward()
    expected = {key: p.grad.clone() for key, p in model.trainable().items() if p.grad is not None}
    model.zero_grad()
    theirs = plain.logits(images)
    F.cross_entropy(theirs, labels).backward()
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=0)
    assert expected.keys() == {key for key, p in model.trainable().items() if p.grad is not None}
    for key, grad in expected.items():
        assert (model.trainable()[key].grad - grad).norm() <= 2e-4 * grad.norm() + 1e-5, key


def test_plain_cocoop_equals_the_released_code() -> None:
    case, model, _ = released("cocoop")
    with torch.no_grad():
        logits = PlainCoCoOp(model.clip, model.prompter, case.names).logits(recipe.images())
    torch.testing.assert_close(logits, case.gold["logits"], atol=2e-4, rtol=0)
