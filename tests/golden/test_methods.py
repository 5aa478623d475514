"""Every released method against the vectors of the released code: logits, features, loss, gradients, five steps."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.text_layout import FIXED, TextLayout
from bmip.methods import build_model, load_method, method_config
from bmip.methods.coprompt import Consistency
from bmip.methods.hicropl.nearness import Distillation
from bmip.prompting import DescribedClasses, Stored, Teacher
from bmip.prompting.low_rank import merged
from bmip.prompting.model import PromptedCLIP
from bmip.training.config import TrainConfig
from bmip.training.optimizer import Optimizer
from tests.golden import recipe

# Case -> method and options beside the released preset's.
CASES = {
    "coop_ctxinit": ("coop", {"slots": 4, "context": "a photo of a"}),
    "coop_ctx16_end": ("coop", {}),
    "coop_ctx16_middle": ("coop", {"position": "middle"}),
    "coop_ctx16_front": ("coop", {"position": "front"}),
    "coop_ctx16_csc": ("coop", {"class_specific": True}),
    "cocoop": ("cocoop", {}),
    "vpt": ("vpt", {}),
    "ivlp": ("ivlp", {}),
    "ivlp_language_only": ("deep_language", {}),
    "maple": ("maple", {}),
    "maple_depth3": ("maple", {"depth": 3}),
    "bmip_shareTT": ("bmip", {}),
    "bmip_shareFF": ("bmip", {"shared_projection_to_text": False, "shared_projection_to_image": False}),
    "bmip_shareTF_visual_only": ("bmip", {"shared_projection_to_image": False}),
    "bmip_shareFT_text_only": ("bmip", {"shared_projection_to_text": False}),
    "bmip_shareTT_depth3_ctx4": ("bmip", {"depth": 3, "slots": 4}),
    "bmip_shareTT_depth12": ("bmip", {"depth": 12}),
    "promptsrc": ("promptsrc", {}),
    "promptsrc_bmip": ("bmip+promptsrc", {}),
    "coprompt": ("coprompt", {}),
    "proda": ("proda", {"prompts": 4}),
    "kgcoop": ("kgcoop", {}),
    "prograd": ("prograd", {}),
    "prograd_ctx4": ("prograd", {"slots": 4}),
    "tcp": ("tcp", {}),
    "mma": ("mma", {}),
    "mma_scale0.1_start9": ("mma", {"adapter_scale": 0.1, "adapter_top": 4}),
    "clip_lora": ("clip_lora", {"lora_dropout": 0.0}),
    "clip_adapter": ("clip_adapter", {}),
    "hicropl": ("hicropl", {}),
    "hicropl_functional": ("hicropl", {"written_back": False}),
    "mmrl": ("mmrl", {}),
    "mmrlpp": ("mmrlpp", {}),
    "upt_dropout_off": ("upt", {}),
}


# A part of the loss -> its golden name, and the weight that the golden number is without.
PARTS = {
    "cross_entropy": ("loss_ce", 1.0),
    "read_out_cross_entropy": ("loss_ce_rep", 0.3),
    "image_nearness": ("loss_reg_image", 1.0),
    "text_nearness": ("loss_reg_text", 1.0),
    "image_distillation": ("loss_distill_image", 12.0),
    "text_distillation": ("loss_distill_text", 12.0),
    "text_distance": ("loss_scl_text", 1.0),
    "image_distance": ("loss_scl_image", 1.0),
    "logit_divergence": ("loss_scl_logits", 1.0),
    "knowledge": ("loss_kg", 8.0),
}


def golden_key(key: str) -> str:
    """The name in the manifest of a key in a checkpoint; CLIP-LoRA's code counts the layers of both towers on."""
    if not (lora := re.fullmatch(r"weights\.layer_(\d+)\.(\w+)\.(\w+)", key)):
        return key
    layer, layers = int(lora[1]), recipe.CONFIG.text_layers
    home = "" if layer < layers else "visual."
    return f"{home}transformer.resblocks.{layer % layers}.attn.{lora[2]}.{lora[3]}"


def golden_names(model: PromptedCLIP, method: str, options: Mapping[str, Any]) -> dict[str, str]:
    """The name in the manifest for each trainable parameter."""
    released = load_method(method).released
    assert released
    keys = released.keys(method_config(method, dict(options)), model.clip, model.trainable())
    return {ours: golden_key(key.key if isinstance(key, Stored) else key) for ours, key in keys.items()}


def recipe_value(name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """UPT's released image prompt has 77 rows and uses as many as there are slots."""
    return recipe.weight(name, shape).flatten()[: like.numel()].reshape(like.shape)


@cache
def teacher(names: tuple[str, ...]) -> Teacher:
    """One for all cases with these classes, because PromptSRC's reads sixty sentences for each."""
    return Teacher(recipe.clip(), ClassNames(names))


def released(name: str) -> tuple[recipe.Case, PromptedCLIP, dict[str, str]]:
    case = recipe.case(name)
    method, options = CASES[name]
    options = {**load_method(method).presets["released"].options, **options}
    model = build_model(method, options, recipe.clip(), ClassNames(case.names), seed=0).eval()
    model.teacher = teacher(tuple(case.names))
    shapes = case.manifest["param_shapes"]
    names = golden_names(model, method, options)
    model.load_trainable(
        {ours: recipe_value(name, tuple(shapes[name]), model.trainable()[ours]) for ours, name in names.items()}
    )
    for term in model.terms:
        if isinstance(term, Consistency):  # the sentences were a language model's
            term.sentence_features = lambda teacher: case.gold["llm_text_features"]  # type: ignore[method-assign]
        if isinstance(term, Distillation):
            term.described.features = lambda teacher: case.gold["llm_text_features"]  # type: ignore[method-assign]
    return case, model, names


def unused(name: str, model: PromptedCLIP) -> PromptedCLIP:
    """The model, or a new one where using it has changed it."""
    return released(name)[1] if model.prompter.changes_itself else model


def losses(model: PromptedCLIP) -> dict[str, Tensor]:
    return model.losses([recipe.images(), recipe.images("image2")], recipe.LABELS).parts


def minimised(model: PromptedCLIP, parts: dict[str, Tensor]) -> Tensor:
    """The loss: all parts but those that guide the gradient."""
    guides = {name for term in model.method.terms for name in term.guides}
    return torch.stack([part for name, part in parts.items() if name not in guides]).sum()


def check_tokens(case: recipe.Case, model: PromptedCLIP) -> None:
    """The released code tokenises with the class name at the end, wherever it is moved afterwards.

    What stands under the slots has no effect, so only the other tokens are compared.
    """
    layouts = model.prompter.layout(model.classes)
    layout = layouts if isinstance(layouts, TextLayout) else layouts[-1]
    texts = model.clip.texts(case.names, replace(layout, position="end"))
    if "token_ids" in case.manifest["extra"]:
        for ids, marks, gold in zip(texts.rows, texts.slots, case.manifest["extra"]["token_ids"], strict=True):
            assert len(ids) == len(gold)
            assert all(own == other for own, mark, other in zip(ids, marks, gold, strict=True) if mark == FIXED)


def close(found: Tensor, gold: Tensor, atol: float) -> None:
    torch.testing.assert_close(found, gold, atol=atol, rtol=0)


def test_zero_shot() -> None:
    case = recipe.case("zeroshot")
    classes = ClassNames(case.names, case.manifest["extra"]["templates"][0])
    model = build_model("zero_shot", {}, recipe.clip(), classes, seed=0)
    check_tokens(case, model)
    logits = model.classifier(classes)(recipe.images())
    close(logits, case.gold["logits"], 2e-4)
    close(model.class_features(classes)[0], case.gold["text_features"], 2e-6)
    close(model.image_features(recipe.images()), case.gold["image_features"], 2e-6)
    close(F.cross_entropy(logits, recipe.LABELS), case.gold["loss"], 1e-4)


def test_zero_shot_ensemble() -> None:
    case = recipe.case("zeroshot_ensemble")
    classes = ClassNames(case.names)
    model = build_model("zero_shot", {"templates": "7"}, recipe.clip(), classes, seed=0)
    assert [layout.template for layout in model.prompter.layout(classes)] == case.manifest["extra"]["templates"]
    logits = model.classifier(classes)(recipe.images())
    close(logits, case.gold["logits"], 2e-4)
    close(model.class_features(classes)[0], case.gold["text_features"], 2e-6)
    close(F.cross_entropy(logits, recipe.LABELS), case.gold["loss"], 1e-4)


@pytest.mark.parametrize("name", CASES)
def test_forward_loss_and_gradients(name: str) -> None:
    case, model, names = released(name)
    known = set(case.manifest["trained"])
    if model.prompter.changes_itself:
        known |= set(case.manifest["requires_grad_but_unused"])
    assert set(names.values()) == known
    check_tokens(case, model)
    images = recipe.images()
    close(model.classifier(model.classes)(images), case.gold.get("logits_fusion", case.gold["logits"]), 2e-4)
    if "text_features" in case.gold:
        close(unused(name, model).class_features(model.classes)[0], case.gold["text_features"], 2e-6)
    if "image_features" in case.gold:
        close(unused(name, model).image_features(images), case.gold["image_features"], 2e-6)
    model = unused(name, model)

    parts = losses(model)
    close(minimised(model, parts), case.gold["loss"], 1e-4)
    for ours, (official, weight) in PARTS.items():
        if official in case.gold:
            if ours == "cross_entropy" and model.read_out:
                weight = 1 - model.read_out.share
            close(parts[ours], weight * case.gold[official], 1e-4)
    model.backward(parts)
    for ours, official in names.items():
        grad = model.trainable()[ours].grad
        if official not in case.manifest["trained"]:
            assert grad is None
            continue
        record = case.manifest["grads"][official]
        assert grad is not None, ours
        shape = case.manifest["param_shapes"][official]
        whole = grad.new_zeros(math.prod(shape))
        whole[: grad.numel()] = grad.flatten()
        grad = whole.reshape(shape)
        tolerance = 2e-4 * record["norm"] + 1e-5
        probe = (grad * recipe.draw("probe:" + official, *grad.shape)).sum().item()
        assert abs(grad.norm().item() - record["norm"]) <= tolerance, ours
        # A projection of the error on a random direction of unit variance: a few times its norm.
        assert abs(probe - record["probe"]) <= 4 * tolerance, ours
        if f"grad/{official}" in case.gold:
            assert (grad - case.gold[f"grad/{official}"]).norm().item() <= tolerance, ours
        else:
            entries = torch.randint(0, grad.numel(), (256,), generator=recipe.generator("idx:" + official))
            gold = case.gold[f"grad_sample/{official}"]
            assert (grad.flatten()[entries] - gold).norm().item() <= tolerance, ours


def five_steps(model: PromptedCLIP, official: Mapping[str, Any]) -> tuple[list[dict[str, Tensor]], dict[str, float]]:
    """The parts of the loss before each step of this optimiser and behind the last, and the norms that it leaves."""
    chosen = {"optimizer": official["name"], "weight_decay": official.get("weight_decay", TrainConfig.weight_decay)}
    optimizer = Optimizer(model.trainable(), TrainConfig(**chosen, eps=official.get("eps", TrainConfig.eps)))
    found = []
    for _ in range(5):
        found.append(losses(model))
        optimizer.zero_grad()
        model.backward(found[-1])
        optimizer.step(official["lr"])
    norms = {ours: tensor.norm().item() for ours, tensor in model.trainable().items()}
    return [*found, losses(model)], norms


@pytest.mark.parametrize("name", CASES)
def test_five_steps_of_the_released_optimiser(name: str) -> None:
    case, model, names = released(name)
    parts, norms = five_steps(model, case.manifest["optimizer"])
    values = [minimised(model, each).item() for each in parts]
    close(torch.tensor(values), case.gold["trajectory"], 5e-4)
    for ours, name_ in names.items():
        if math.prod(case.manifest["param_shapes"][name_]) > model.trainable()[ours].numel():
            continue  # its unused rows only decay
        if name_ not in case.manifest["trained"]:
            continue
        found, gold = norms[ours], case.manifest["final_param_norm"][name_]
        assert abs(found - gold) <= 5e-4 * max(1.0, gold), ours


@pytest.mark.parametrize("name", [name for name in CASES if "bmip" in name])
def test_released_gates(name: str) -> None:
    """Attention and gate weights of every gated block; a text gate's x is exactly 0, an image gate's a batch mean."""
    case, model, _ = released(name)
    for tower, kind in (("text", "learnable_linear2"), ("image", "learnable_linear1")):
        gates = getattr(model.prompter, f"{tower}_gates")
        gold = {
            int(key.split(".")[3]) - 1: value
            for key, value in case.manifest["gates"].items()
            if key.startswith(tower) and key.endswith(kind)
        }
        assert len(gold) == len(gates)
        seen: dict[int, tuple[Tensor, Tensor]] = {}
        handles = [
            gate.register_forward_hook(lambda _, args, out, j=j, seen=seen: seen.update({j: (args[0], out)}))
            for j, gate in enumerate(gates)
        ]
        model(recipe.images(), model.classes)
        for handle in handles:
            handle.remove()
        for j, (pairs,) in gold.items():
            x, w = (t.detach().flatten() for t in seen[j])
            close(x, torch.tensor([p[0] for p in pairs]).flatten(), 1e-6)
            close(w, torch.tensor([p[1] for p in pairs]).flatten(), 2e-5)


@pytest.mark.parametrize("name", [name for name in CASES if "bmip" in name])
def test_released_predictions_depend_on_the_batch(name: str) -> None:
    case, model, _ = released(name)
    classify = model.classifier(model.classes)
    alone = torch.cat([classify(image[None]) for image in recipe.images()])
    close(alone, case.gold["logits_batch1"], 2e-4)
    together = classify(recipe.images())
    assert model.prompter.reads_batch
    assert (alone - together).abs().max() > 1e-3
    close(F.cross_entropy(alone, recipe.LABELS), case.gold["loss_batch1"].mean(), 1e-4)


@pytest.mark.parametrize("name", ["prograd", "prograd_ctx4"])
def test_prograd_leaves_out_what_opposes_zero_shot(name: str) -> None:
    """With 4 vectors the gradients oppose each other, with 16 they do not."""
    case, model, _ = released(name)
    parts = losses(model)
    log_teacher = case.gold["teacher_logits"].log_softmax(-1)
    entropy = -(log_teacher.exp() * log_teacher).sum(-1).mean()  # the released divergence is a cross-entropy
    close(parts["zero_shot_divergence"] + entropy, case.gold["loss_kl"], 1e-4)
    context, own = model.prompter.context, "prompt_learner.ctx"
    for part, gold in (("cross_entropy", f"grad_ce/{own}"), ("zero_shot_divergence", f"grad_kl/{own}")):
        (found,) = torch.autograd.grad(parts[part], context, retain_graph=True)
        assert (found - case.gold[gold]).norm() <= 2e-4 * case.gold[gold].norm() + 1e-5
    opposed = (case.gold[f"grad_ce/{own}"] * case.gold[f"grad_kl/{own}"]).sum() < 0
    assert opposed == case.manifest["extra"]["conflict"] == (name == "prograd_ctx4")
    steps, _ = five_steps(model, case.manifest["optimizer"])
    divergences = torch.stack([each["zero_shot_divergence"].detach() for each in steps])
    close(divergences + entropy, case.gold["trajectory_kl"], 5e-4)


def test_tcp_with_adam_s_usual_eps() -> None:
    """Its README asks for 1e-3, which the numbers for all methods have."""
    case, model, _ = released("tcp")
    steps, _ = five_steps(model, {**case.manifest["optimizer"], "eps": 1e-8})
    found = torch.stack([minimised(model, parts).detach() for parts in steps])
    close(found, case.gold["trajectory_eps1e-8"], 5e-4)
    assert (found - case.gold["trajectory"]).abs().max() > 1e-2


def test_clip_lora_beside_its_matrices_and_merged_into_them() -> None:
    case, model, _ = released("clip_lora")
    close(model(recipe.images(), model.classes), case.gold["logits_unmerged"], 2e-4)
    once = build_model("zero_shot", {}, merged(model.student), model.classes, seed=0)
    close(once(recipe.images(), model.classes), case.gold["logits"], 2e-4)


@pytest.mark.parametrize("name", ["mmrl", "mmrlpp"])
def test_released_read_outs_count_for_the_classes_of_training_alone(name: str) -> None:
    case, model, _ = released(name)
    others = replace(model.classes, names=case.names[2:5])
    close(model.classifier(others)(recipe.images()), case.gold["logits"][:, 2:5], 2e-4)
    close(model.image_reader()(recipe.images())[1], case.gold["image_features_rep"], 2e-6)
    assert model.read_out and model.tells_trained_classes
    model.read_out.trained_classes_only = False
    close(model.classifier(others)(recipe.images()), case.gold["logits_fusion"][:, 2:5], 2e-4)


def test_released_hicropl_answers_differently_each_time() -> None:
    case, model, _ = released("hicropl")
    for forward in range(1, 11):
        found = model(recipe.images(), model.classes)
        if f"logits_forward{forward}" in case.gold:
            close(found, case.gold[f"logits_forward{forward}"], 2e-4)
    assert (case.gold["logits_forward2"] - case.gold["logits"]).abs().max() > 1


@pytest.mark.parametrize("name", ["hicropl", "hicropl_functional"])
def test_hicropl_s_features_before_those_of_the_frozen_clip_are_added(name: str) -> None:
    case, model, _ = released(name)
    model.towers.adapter = None
    close(model.class_features(model.classes)[0], case.gold["prompted_text_features"], 2e-6)
    model = unused(name, model)
    model.towers.adapter = None
    close(model.image_features(recipe.images()), case.gold["prompted_image_features"], 2e-6)


def test_sentences_about_the_classes(tmp_path: Path) -> None:
    case = recipe.case("hicropl")
    (tmp_path / "sentences.json").write_text(json.dumps(case.manifest["extra"]["llm_sentences"]))
    described = DescribedClasses(str(tmp_path / "sentences.json"))
    found = described.features(Teacher(recipe.clip(), ClassNames(case.names)))
    close(found, case.gold["llm_text_features"], 2e-6)


def test_proda_prompts_without_a_class_name() -> None:
    """The released code computes how alike they are and does not train on it; the default does."""
    case, model, _ = released("proda")
    default = build_model(
        "proda", {"prompts": 4, "raw_names": True, "orthogonality": 1.0}, recipe.clip(), model.classes, seed=0
    )
    default.load_trainable(dict(model.trainable()))
    close(losses(default.eval())["orthogonality"], case.gold["loss_m"], 1e-5)
