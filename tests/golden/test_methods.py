"""Every released method against the vectors of the released code: logits, features, loss, gradients, five steps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.text_layout import TextLayout
from bmip.methods import build_model, load_method
from bmip.methods.coprompt import Consistency
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
    "upt_dropout_off": ("upt", {}),
}


# A part of the loss -> its golden name.
PARTS = {
    "cross_entropy": "loss_ce",
    "text_distance": "loss_scl_text",
    "image_distance": "loss_scl_image",
    "logit_divergence": "loss_scl_logits",
}


def official_name(method: str, ours: str) -> str:
    """Our learned tensor's name in the released modules."""
    if ours.startswith("adapter."):
        tower, layer, kind = ours.removeprefix("adapter.").split(".")
        return f"adapter_{tower.removesuffix('_map')}.fc.{layer}.{kind}"
    part, *rest = ours.removeprefix("prompter.").split(".")
    learner = "prompt_learner."
    if part == "context":
        return learner + "ctx"
    if part == "shift":
        return f"{learner}meta_net.linear{1 + int(rest[0]) // 2}.{rest[1]}"
    if method == "upt":
        if part in ("text", "image"):
            return f"{learner}ctx_{part[0].replace('i', 'v')}"
        if part == "joint":
            return f"{learner}compound_prompts.{rest[0]}"
        return f"{learner}compound_prompt_projections.{'.'.join(rest)}"
    if method in ("ivlp", "vpt", "deep_language", "promptsrc"):
        layer = int(rest[0])
        if part == "text":
            return learner + "ctx" if layer == 0 else f"text_encoder.transformer.resblocks.{layer}.VPT_shallow"
        return "image_encoder.VPT" if layer == 0 else f"image_encoder.transformer.resblocks.{layer}.VPT_shallow"
    if method in ("maple", "coprompt"):
        layer = int(rest[0])
        if part == "text":
            return learner + ("ctx" if layer == 0 else f"compound_prompts_text.{layer - 1}")
        return learner + (f"proj.{rest[1]}" if layer == 0 else f"compound_prompt_projections.{layer - 1}.{rest[1]}")
    if part == "first_to_image":
        return f"{learner}proj_t.{rest[0]}"
    layer = int(rest[0])
    if part == "text":
        return learner + ("ctx_t" if layer == 0 else f"compound_prompts_text.{layer - 1}")
    if part == "image":
        return f"{learner}compound_prompts_visual.{layer}"
    if part in ("text_gates", "image_gates"):
        tower, number = ("text", 2) if part == "text_gates" else ("image", 1)
        return f"{tower}_encoder.transformer.resblocks.{layer + 1}.learnable_linear{number}.{rest[1]}"
    letter = "v" if part == "to_text" else "t"
    return f"{learner}{letter}:{layer}.{rest[1]}"


def resolve(name: str, known: dict) -> str:
    """Projections are called single_layer where shared and compound_prompt_projections.j where not."""
    if ":" not in name:
        return name
    letter, rest = name.removeprefix("prompt_learner.").split(":")
    layer, kind = rest.split(".")
    shared = f"prompt_learner.single_layer_{letter}.{kind}"
    return shared if shared in known else f"prompt_learner.compound_prompt_projections_{letter}.{layer}.{kind}"


def recipe_value(name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """UPT's released image prompt has 77 rows and uses as many as there are slots."""
    return recipe.weight(name, shape).flatten()[: like.numel()].reshape(like.shape)


def released(name: str) -> tuple[recipe.Case, PromptedCLIP, dict[str, str]]:
    case = recipe.case(name)
    method, options = CASES[name]
    options = {**load_method(method).presets["released"].options, **options}
    model = build_model(method, options, recipe.clip(), ClassNames(case.names), seed=0).eval()
    shapes = case.manifest["param_shapes"]
    names = {ours: resolve(official_name(method, ours), shapes) for ours in model.trainable()}
    model.load_trainable(
        {ours: recipe_value(name, tuple(shapes[name]), model.trainable()[ours]) for ours, name in names.items()}
    )
    for term in model.terms:
        if isinstance(term, Consistency):  # the sentences were a language model's
            term.sentence_features = lambda teacher: case.gold["llm_text_features"]  # type: ignore[method-assign]
    return case, model, names


def losses(model: PromptedCLIP) -> dict[str, Tensor]:
    return model.losses([recipe.images(), recipe.images("image2")], recipe.LABELS).parts


def check_tokens(case: recipe.Case, model: PromptedCLIP) -> None:
    """The released code tokenises with the class name at the end, wherever it is moved afterwards."""
    layouts = model.prompter.layout(model.classes)
    layout = layouts if isinstance(layouts, TextLayout) else layouts[-1]
    texts = model.clip.texts(case.names, replace(layout, position="end"))
    if "token_ids" in case.manifest["extra"]:
        assert [list(row) for row in texts.rows] == case.manifest["extra"]["token_ids"]


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
    assert set(names.values()) == set(case.manifest["trained"])
    check_tokens(case, model)
    images = recipe.images()
    close(model.classifier(model.classes)(images), case.gold["logits"], 2e-4)
    if "text_features" in case.gold:
        close(model.class_features(model.classes)[0], case.gold["text_features"], 2e-6)
    if "image_features" in case.gold:
        close(model.image_features(images), case.gold["image_features"], 2e-6)

    parts = losses(model)
    close(torch.stack(list(parts.values())).sum(), case.gold["loss"], 1e-4)
    for ours, official in PARTS.items():
        if official in case.gold:
            close(parts[ours], case.gold[official], 1e-4)
    model.backward(parts)
    for ours, official in names.items():
        grad, record = model.trainable()[ours].grad, case.manifest["grads"][official]
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


@pytest.mark.parametrize("name", CASES)
def test_five_steps_of_the_released_optimiser(name: str) -> None:
    case, model, names = released(name)
    official = case.manifest["optimizer"]
    optimizer = Optimizer(model.trainable(), TrainConfig(optimizer=official["name"]))
    values = []
    for step in range(6):
        parts = losses(model)
        values.append(sum(part.item() for part in parts.values()))
        if step < 5:
            optimizer.zero_grad()
            model.backward(parts)
            optimizer.step(official["lr"])
    close(torch.tensor(values), case.gold["trajectory"], 5e-4)
    for ours, name_ in names.items():
        if math.prod(case.manifest["param_shapes"][name_]) > model.trainable()[ours].numel():
            continue  # its unused rows only decay
        found, gold = model.trainable()[ours].norm().item(), case.manifest["final_param_norm"][name_]
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


def test_proda_prompts_without_a_class_name() -> None:
    """The released code computes how alike they are and does not train on it; the default does."""
    case, model, _ = released("proda")
    default = build_model(
        "proda", {"prompts": 4, "raw_names": True, "orthogonality": 1.0}, recipe.clip(), model.classes, seed=0
    )
    default.load_trainable(dict(model.trainable()))
    close(losses(default.eval())["orthogonality"], case.gold["loss_m"], 1e-5)
