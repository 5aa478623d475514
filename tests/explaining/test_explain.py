"""Attention and covered patches against plain computations, and the picture of them."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.transforms import normalise
from bmip.explaining.attention import attention_of
from bmip.explaining.covering import telling_apart
from bmip.explaining.explain import explain
from bmip.methods import build_model, combination_names, method_names
from bmip.prompting.model import PromptedCLIP
from bmip.report.explanation_picture import draw_explanation
from bmip.testing import cases, tiny_clip, tiny_dataset
from bmip.testing.case import CLASSES, images, new_vit, resnet

DATA = tiny_dataset()


def tiny(method: str, **options) -> PromptedCLIP:
    return build_model(method, options, tiny_clip(), DATA.classes, seed=1)


def pixels_of(model: PromptedCLIP) -> Tensor:
    config = model.clip.config
    return normalise(DATA.test.images[0][None, :, :16, :16], config.mean, config.std)[0]


def test_attention_without_prompts_is_that_of_a_plain_tower() -> None:
    model = tiny("zero_shot")
    pixels, vit = pixels_of(model), model.clip.vit
    x = vit._embed(pixels[None])
    for number, block in enumerate(vit.blocks):
        q, k, v = block.project(x)
        scores = torch.einsum("iqhc,ikhc->ihqk", q, k) / math.sqrt(q.shape[-1])
        shares = scores.softmax(-1)
        if number == len(vit.blocks) - 1:
            gold = shares[0, :, 0].mean(0)
        x = block.finish(x, torch.einsum("ihqk,ikhc->iqhc", shares, v).flatten(-2))
    found = attention_of(model, pixels)
    torch.testing.assert_close(found.class_token.flatten(), gold[1:], atol=1e-5, rtol=0)
    assert found.slots.shape == (0, 2, 2) and found.to_slots == 0


@pytest.mark.parametrize("method", (*method_names(), *combination_names()))
def test_every_method_is_looked_at(method: str) -> None:
    case = next(case for case in cases(method) if case.label == "default")
    model = case.on(new_vit(torch.float32))
    found = attention_of(model, images(1, torch.float32)[0])
    whole = float(found.class_token.sum()) + found.to_slots
    assert 0 < whole < 1, "the rest goes to the class token itself"
    assert found.class_token.shape == (3, 3) and found.slots.shape[1:] == (3, 3)
    assert (len(found.slots) > 0) == (found.to_slots > 0)
    assert (found.slots.sum((1, 2)) < 1).all()


def test_a_slot_looks_at_patches_as_its_layer_says() -> None:
    """With one layer of prompts the slot's attention is that of the first block."""
    model = tiny("vpt", depth=1, slots=2)
    pixels, vit = pixels_of(model), model.clip.vit
    slots = vit.ln_pre(next(iter(model.trainable().values())).reshape(1, 2, -1))
    seen = vit.blocks[0].project(torch.cat([vit._embed(pixels[None]), slots], dim=1))
    scores = torch.einsum("iqhc,ikhc->ihqk", seen.q, seen.k) / math.sqrt(seen.q.shape[-1])
    gold = scores.softmax(-1)[0].mean(0)[5:, 1:5]
    torch.testing.assert_close(attention_of(model, pixels).slots.flatten(1), gold, atol=1e-5, rtol=0)


def test_a_covered_patch_changes_the_logits_by_what_it_says() -> None:
    model, classes = tiny("bmip", depth=3), ClassNames(("red", "blue"))
    pixels = pixels_of(model)
    found = telling_apart(model, pixels, classes)

    def difference(image: Tensor) -> float:
        logits = model(image[None], classes)[0].detach()
        return float(logits[0] - logits[1])

    for row in range(2):
        for column in range(2):
            covered = pixels.clone()
            covered[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 0
            assert float(found[row, column]) == pytest.approx(difference(pixels) - difference(covered), abs=1e-4)
    torch.testing.assert_close(telling_apart(model, pixels, ClassNames(("blue", "red"))), -found, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="3 class names came: give two"):
        telling_apart(model, pixels, ClassNames(("a", "b", "c")))


def test_before_training_is_the_start_of_the_same_seed(tmp_path: Path) -> None:
    model = tiny("bmip", depth=3)
    with torch.no_grad():
        for tensor in model.trainable().values():
            tensor.add_(0.1)
    found = explain(model, DATA.test.images[0], ["red", "blue"])
    start = tiny("bmip", depth=3)
    square = normalise(found.pixels[None], model.clip.config.mean, model.clip.config.std)[0]
    assert found.untrained is not None
    assert found.untrained.attention is not None and found.trained.attention is not None
    assert torch.equal(found.untrained.attention.slots, attention_of(start, square).slots)
    assert not torch.equal(found.untrained.attention.slots, found.trained.attention.slots)
    assert found.trained.probability == pytest.approx(
        float(model(square[None], ClassNames(("red", "blue")))[0].detach().softmax(-1)[0]), abs=1e-5
    )
    best = model(square[None], model.classes)[0].topk(2).indices.tolist()
    assert explain(model, DATA.test.images[0]).names == tuple(model.classes.names[label] for label in best)

    draw_explanation(found, tmp_path / "deep" / "x.png")
    drawn = np.asarray(Image.open(tmp_path / "deep" / "x.png").convert("RGB")).astype(int)
    orange = (drawn[..., 0] - drawn[..., 2] > 100) & (drawn[..., 1] - drawn[..., 2] > 30)
    assert orange.any() and drawn.shape[0] > drawn.shape[1] > 300


def test_the_start_of_prompts_from_released_code_is_not_known(tmp_path: Path) -> None:
    model = tiny("bmip", depth=3)
    model.description = replace(model.described(), imported="model.pth.tar-5, SHA-256 abc")
    found = explain(model, DATA.test.images[0], ["red", "blue"])
    assert found.untrained is None and [view.name for view in found.views] == ["CLIP without prompts", "after training"]
    draw_explanation(found, tmp_path / "x.png")
    assert (tmp_path / "x.png").exists()


def test_a_resnet_has_covered_patches_alone(tmp_path: Path) -> None:
    model = build_model("coop", {"slots": 2}, resnet(), CLASSES, seed=1)
    with pytest.raises(ValueError, match="ResNet image tower"):
        attention_of(model, images(1, torch.float32, size=32)[0])
    found = explain(model, DATA.test.images[0], ["cat", "yo-yo"])
    assert found.trained.attention is None and found.trained.for_first.shape == (1, 1)
    draw_explanation(found, tmp_path / "x.png")


def test_prompts_of_single_classes_are_not_asked_about_two() -> None:
    model = build_model("coop", {"class_specific": True, "slots": 2}, new_vit(torch.float32), CLASSES, seed=1)
    with pytest.raises(ValueError, match=rf"something of its own for each of its {len(CLASSES)} classes"):
        explain(model, DATA.test.images[0])


@pytest.mark.parametrize(
    ("method", "options"),
    [("linear_probe", {}), ("tip_adapter", {}), ("lp_plus_plus", {}), ("coop", {"class_specific": True, "slots": 2})],
)
def test_a_method_that_knows_two_classes_tells_them_apart(method: str, options: dict) -> None:
    model = build_model(method, options, tiny_clip(), ClassNames(("grey", "blue")), seed=1)
    found, named = explain(model, DATA.test.images[0]), explain(model, DATA.test.images[0], ["grey", "blue"])
    assert found.names == ("grey", "blue") and found.trained.probability == named.trained.probability
