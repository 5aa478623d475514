"""What every method promises, asked of each one that is there, in every preset."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from itertools import chain
from typing import Any

import pytest
import torch
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer
from bmip.methods import build_model, combination_names, load_method, method_names
from bmip.prompting.method import Given
from bmip.prompting.model import PromptedCLIP
from tests.clip.plain import tiny_clip

CLASSES = ClassNames(("cat", "golden_retriever", "black-eyed susan", "2012 audi", "st.", "yo_yo"), "a picture of a {}.")
LABELS = torch.tensor([0, 3, 5, 1])
LAYERS = 3
METHODS = (*method_names(), *combination_names(), "kgcoop+promptsrc", "vpt+coprompt", "examples.shallow_text")

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
    "proda": [{"prompts": 4, "slots": 3}],
}


def cases() -> list:
    found = []
    for name in METHODS:
        spec = load_method(name)
        shallow = small(spec.Config)
        seen = []
        for preset, chosen in spec.presets.items():
            options = {**shallow, **_within(chosen.options)}
            if options not in seen:
                found.append(pytest.param(name, options, id=f"{name}-{preset}"))
            seen.append(options)
        for options in VARIANTS.get(name, []):
            words = ",".join(f"{k}={v}" for k, v in options.items())
            found.append(pytest.param(name, {**shallow, **options}, id=f"{name}-{words}"))
    return found


def small(config: type) -> dict[str, Any]:
    """Options that fit the tiny CLIP."""
    known = {field.name for field in fields(config)}
    return {name: LAYERS for name in known if name.endswith("depth")} | (
        {"bottleneck": 1} if "bottleneck" in known else {}
    )


def _within(options: Any) -> dict[str, Any]:
    return {k: min(v, LAYERS) if k.endswith("depth") else v for k, v in options.items()}


every_method = pytest.mark.parametrize(("name", "options"), cases())


@cache
def clip(dtype: torch.dtype = torch.float64) -> CLIP:
    return tiny_clip(layers=LAYERS, dtype=dtype)


def build(name: str, options: dict[str, Any], dtype: torch.dtype = torch.float64, seed: int = 3) -> PromptedCLIP:
    return build_model(name, options, clip(dtype), CLASSES, seed=seed).to(dtype)


def images(count: int = 4, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(count, 3, 12, 12, generator=torch.Generator().manual_seed(5), dtype=torch.float64).to(dtype)


def loss(model: PromptedCLIP, dtype: torch.dtype = torch.float64) -> Tensor:
    views = [images(dtype=dtype) + 0.1 * view for view in range(model.views)]
    torch.manual_seed(0)  # of what a method draws in a step
    model.train()
    parts = model.losses(views, LABELS).parts
    model.eval()
    return torch.stack(list(parts.values())).sum()


def gradients(model: PromptedCLIP, value: Tensor) -> dict[str, Tensor]:
    learned = model.trainable()
    found = torch.autograd.grad(value, list(learned.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(learned, found, strict=True))


def same(found: Tensor, gold: Tensor) -> None:
    torch.testing.assert_close(found, gold, atol=1e-9, rtol=1e-9)


@every_method
def test_every_learned_weight_gets_a_gradient_but_the_declared_dead(name: str, options: dict) -> None:
    model = build(name, options)
    silent = (
        {key for key, grad in gradients(model, loss(model)).items() if not grad.any()} if model.trainable() else set()
    )
    assert silent == {f"prompter.{key}" for key in model.prompter.dead}


@every_method
def test_a_step_leaves_clip_alone(name: str, options: dict) -> None:
    model = build(name, options)
    before = {key: value.clone() for key, value in model.clip.state_dict().items()}
    if model.trainable():
        optimizer = torch.optim.SGD(model.trainable().values(), lr=0.1)
        loss(model).backward()
        optimizer.step()
    assert all(torch.equal(before[key], value) for key, value in model.clip.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in model.clip.parameters())


@every_method
def test_learned_tensors_carry_over_to_a_fresh_build(name: str, options: dict) -> None:
    model, fresh = build(name, options), build(name, options, seed=4)
    fresh.load_trainable({key: value.detach().clone() for key, value in model.trainable().items()})
    assert torch.equal(fresh(images(), CLASSES), model(images(), CLASSES))


@every_method
def test_the_seed_decides_the_start_and_global_draws_do_not(name: str, options: dict) -> None:
    state = torch.random.get_rng_state()
    first = build(name, options)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(1)
    second = build(name, options)
    assert all(torch.equal(a, b) for a, b in zip(first.trainable().values(), second.trainable().values(), strict=True))


@every_method
def test_the_classifier_is_the_forward_pass(name: str, options: dict) -> None:
    model = build(name, options)
    same(model.classifier(CLASSES)(images()), model(images(), CLASSES))


@every_method
def test_an_image_does_not_depend_on_its_batch_unless_declared(name: str, options: dict) -> None:
    model = build(name, options)
    classify = model.classifier(CLASSES)
    together = classify(images())
    alone = torch.cat([classify(image[None]) for image in images()])
    if model.prompter.reads_batch:
        assert (together - alone).abs().max() > 1e-6
    else:
        same(together, alone)


@every_method
def test_permuted_classes_permute_the_logits(name: str, options: dict) -> None:
    model = build(name, options)
    order = [3, 0, 5, 1, 4, 2]
    permuted = ClassNames(tuple(CLASSES.names[k] for k in order), CLASSES.template)
    if model.prompter.trained_on is not None:
        with pytest.raises(ValueError, match="learned something for each of its 6 classes"):
            model.classifier(permuted)
        return
    same(model(images(), permuted), model(images(), CLASSES)[:, order])


@every_method
def test_a_class_does_not_depend_on_the_others_unless_declared(name: str, options: dict) -> None:
    model = build(name, options)
    fewer = ClassNames(CLASSES.names[:2], CLASSES.template)
    if model.prompter.trained_on is not None:
        with pytest.raises(ValueError, match="was asked about 2"):
            model(images(), fewer)
        return
    few, all_ = model(images(), fewer), model(images(), CLASSES)[:, :2]
    if model.prompter.reads_classes:
        assert (few - all_).abs().max() > 1e-6
    else:
        same(few, all_)


@every_method
def test_class_features_ignore_images_unless_declared(name: str, options: dict) -> None:
    model = build(name, options)
    if model.prompter.reads_images:
        with pytest.raises(ValueError, match="differ between images"):
            model.class_features(CLASSES)
    else:
        assert model.class_features(CLASSES).shape == (1, len(CLASSES), model.clip.config.out)


@every_method
@pytest.mark.parametrize("autocast", [False, True], ids=["plain", "autocast"])
def test_chunks_of_classes_change_nothing(name: str, options: dict, autocast: bool) -> None:
    dtype = torch.float32 if autocast else torch.float64
    model = build(name, options, dtype)

    def run(tokens: int) -> tuple[Tensor, dict[str, Tensor]]:
        model.clip.text.chunk_tokens = tokens
        try:
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                value = loss(model, dtype)
            return value.detach(), gradients(model, value) if model.trainable() else {}
        finally:
            del model.clip.text.chunk_tokens

    (whole, whole_grads), (parts, parts_grads) = run(4096), run(7)
    if not autocast:
        same(parts, whole)
        for key, grad in whole_grads.items():
            same(parts_grads[key], grad)
        return
    # bfloat16 keeps 8 bits: sums of products in another order differ in the last of them.
    assert abs(parts - whole) <= 0.02 * whole.abs() + 0.02
    for key, grad in whole_grads.items():
        assert (parts_grads[key] - grad).norm() <= 0.05 * grad.norm() + 1e-3 * max(
            g.norm() for g in whole_grads.values()
        ), key


@every_method
def test_bfloat16_is_finite_and_near(name: str, options: dict) -> None:
    gold = build(name, options, torch.float32)(images(dtype=torch.float32), CLASSES)
    model = build_model(
        name, options, tiny_clip(layers=LAYERS, dtype=torch.float32).set_precision("bfloat16"), CLASSES, seed=3
    )
    found = model(images(dtype=torch.float32), CLASSES)
    assert found.dtype == torch.float32 and found.isfinite().all()
    assert (found - gold).norm() <= 0.1 * gold.norm()
    assert all(p.dtype == torch.float32 for p in model.trainable().values())
    if model.trainable():
        assert all(grad.isfinite().all() for grad in gradients(model, loss(model, torch.float32)).values())


@cache
def resnet_clip() -> CLIP:
    config = CLIPConfig(
        image_size=32, patch=32, image_width=2, image_layers=(1, 1, 1, 1), image_heads=2,
        text_width=24, text_layers=LAYERS, text_heads=2, context=40, vocabulary=49408, out=16,
    )  # fmt: skip
    clip = CLIP(config, Tokenizer.default())
    generator = torch.Generator().manual_seed(0)
    for parameter in clip.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return clip.eval()


@every_method
def test_on_a_resnet_it_works_or_is_refused_when_built(name: str, options: dict) -> None:
    given = Given(torch.zeros(1, 16, dtype=torch.float64))
    if build(name, options).prompter(given).image:
        with pytest.raises(ValueError, match="takes no image prompts"):
            build_model(name, options, resnet_clip(), CLASSES, seed=3)
        return
    model = build_model(name, options, resnet_clip(), CLASSES, seed=3)
    views = [torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(k)) for k in range(model.views)]
    parts = model.losses(views, LABELS).parts
    assert all(part.isfinite() for part in parts.values())
    if model.trainable():
        model.backward(parts)
        assert any(p.grad is not None and p.grad.any() for p in model.trainable().values())


@pytest.mark.parametrize("name", METHODS)
def test_defaults_are_clean(name: str) -> None:
    spec = load_method(name)
    prompter = build(name, {**small(spec.Config), **_within(spec.presets["default"].options)}).prompter
    assert not prompter.reads_batch and not prompter.dead
    for preset in spec.presets.values():
        assert preset.source
        known = {field.name for field in fields(spec.Config)}
        assert set(chain(preset.options)) <= known


def test_wrong_tensors_are_listed() -> None:
    model = build("maple", {"depth": 2})
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
        build(name, options)
