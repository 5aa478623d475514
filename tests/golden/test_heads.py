"""Tip-Adapter and LP++ against the vectors of the released code. Their parameters are made of images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.methods import build_model
from bmip.methods.lp_plus_plus import LPPlusPlus, start, step_sizes
from bmip.methods.tip_adapter import Memory
from bmip.prompting import Support
from bmip.prompting.model import PromptedCLIP
from bmip.training.config import TrainConfig
from bmip.training.optimizer import Optimizer
from tests.golden import recipe
from tests.golden.test_methods import close


def support(case: recipe.Case, model: PromptedCLIP) -> Support:
    """The features of the recipe's support images."""
    labels = torch.tensor(case.manifest["extra"]["support_labels"])
    images = F.normalize(model.clip.encode_image(recipe.draw("support", len(labels), 3, 64, 64)), dim=-1)
    return Support(images, labels, model.class_features(model.classes)[0], model.clip.scale)


def tip_adapter(*, trained: bool = False) -> tuple[recipe.Case, PromptedCLIP, Memory]:
    case = recipe.case("tip_adapter")
    options = {"weight": 3.0, "sharpness": 1.0, "passes": 0, "trained": trained}
    model = build_model("tip_adapter", options, recipe.clip(), ClassNames(case.names), seed=0).eval()
    assert isinstance(model.head, Memory)
    model.head.fit(support(case, model), None)
    return case, model, model.head


def test_tip_adapter() -> None:
    case, model, head = tip_adapter()
    close(head.keys, case.gold["cache_keys"], 2e-6)
    images = model.image_features(recipe.images())
    close(head._remembered(images, head.sharpness), case.gold["cache_logits"], 2e-5)
    close(model.classifier(model.classes)(recipe.images()), case.gold["logits"], 2e-4)


def test_training_tip_adapter() -> None:
    case, model, head = tip_adapter(trained=True)
    official, values = case.manifest["optimizer"], []
    config = TrainConfig(optimizer="adamw", weight_decay=official["weight_decay"], eps=official["eps"])
    optimizer = Optimizer(model.trainable(), config)
    for step in range(6):
        parts = model.losses([recipe.images()], recipe.LABELS).parts
        values.append(parts["cross_entropy"].item())
        if step < 5:
            optimizer.zero_grad()
            model.backward(parts)
            if step == 0:
                gold = case.gold["grad/adapter.weight"]
                assert head.keys.grad is not None and (head.keys.grad - gold).norm() <= 2e-4 * gold.norm() + 1e-5
            optimizer.step(official["lr"])
    close(torch.tensor(values), case.gold["trajectory"], 5e-4)
    assert head.keys.norm().item() == pytest.approx(case.manifest["final_param_norm"]["adapter.weight"], rel=5e-4)


def lp_plus_plus(steps: int) -> tuple[recipe.Case, PromptedCLIP, LPPlusPlus]:
    case = recipe.case("lp_plus_plus")
    options = {"steps": steps, "passes": 0, "summed_gradients": True}
    model = build_model("lp_plus_plus", options, recipe.clip(), ClassNames(case.names), seed=0).eval()
    assert isinstance(model.head, LPPlusPlus)
    with torch.no_grad():
        model.head.bias.copy_(recipe.weight("classifier.bias", (7,)))
    return case, model, model.head


def loss_on(head: LPPlusPlus, data: Support) -> Tensor:
    return F.cross_entropy(head(data.images, data.cosines(), data.scale), data.labels)


def test_lp_plus_plus() -> None:
    case, model, head = lp_plus_plus(25)
    data = support(case, model)
    close(data.images, case.gold["support_features"], 2e-6)
    start(head, data)
    close(head.weights, case.gold["centroids"], 5e-6)
    close(head.shares[0], case.gold["init_alpha"], 1e-3)
    for found, name in zip(step_sizes(data), ("lr_w", "lr_alpha"), strict=True):
        assert found == pytest.approx(case.gold[name].item(), rel=1e-4)
    close(head(data.images, data.cosines(), data.scale), case.gold["support_logits"], 2e-4)
    close(model.classifier(model.classes)(recipe.images()), case.gold["logits"], 2e-4)
    first = loss_on(head, data)
    close(first, case.gold["loss"], 1e-4)
    for part, tensor in (("weight", head.weights), ("bias", head.bias)):
        gold = case.gold[f"grad/classifier.{part}"]
        (grad,) = torch.autograd.grad(first, tensor, retain_graph=True)
        assert (grad - gold).norm() <= 2e-4 * gold.norm() + 1e-5
    losses = []
    for steps in range(25):
        head.config = replace(head.config, steps=steps)
        with torch.no_grad():
            head.bias.copy_(recipe.weight("classifier.bias", (7,)))
        head.fit(data, None)
        losses.append(loss_on(head, data).detach())
    close(torch.stack(losses), case.gold["trajectory"], 5e-4)
    close(head(data.images, data.cosines(), data.scale), case.gold["support_logits_last"], 1e-3)
    close(head.shares[None], case.gold["alpha_final"], 1e-3)
    found = {"classifier.weight": head.weights, "classifier.bias": head.bias}
    for name, gold in case.manifest["final_param_norm"].items():
        assert found[name].norm().item() == pytest.approx(gold, rel=5e-4)
