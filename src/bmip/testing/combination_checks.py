"""Checks of what a MethodSpec declares for combinations: by these declarations they are refused when they are named."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch

from bmip.clip.prompts import slots_of
from bmip.methods import method_config
from bmip.prompting.frozen import FrozenImages
from bmip.prompting.method import Step, Term
from bmip.prompting.model import PromptedCLIP
from bmip.testing.case import CLASSES, LABELS, Case, images, require


def declared_parts_are_there(case: Case) -> None:
    """The MethodSpec's `parts` and `prompted`, by which combinations are refused, are those of the method."""
    model, spec = case.model(), case.spec
    found = model.method.single
    require(found == spec.parts, f"the method has the parts {sorted(found)}: declare them as `parts` of the MethodSpec")
    prompts = model.prompts(CLASSES, images())
    lists = {"text": (prompts.text, *prompts.sentences), "image": (prompts.image,)}
    entered = {tower for tower, several in lists.items() if any(map(slots_of, several))}
    require(entered == spec.prompted, f"prompts enter the towers: {_listed(entered)}; declare that as `prompted`")


def declared_towers_are_those(case: Case) -> None:
    """The MethodSpec's `adapted` and `watched`, by which combinations are refused, are true of the default."""
    if case.label != "default":
        return
    model, spec = case.model(), case.spec
    adapted = _adapted(model)
    require(adapted == spec.adapted, f"changes and adapter train: {_listed(adapted)}; declare that as `adapted`")
    if spec.extras is None:
        return
    config = method_config(spec, dict(case.options))
    if terms := spec.extras(config, model.clip, CLASSES).terms:
        watched = _watched(model, terms)
        require(watched == spec.watched, f"the loss depends on: {_listed(watched)}; declare that as `watched`")


def _adapted(model: PromptedCLIP) -> set[str]:
    """The towers inside or behind which something is trained."""
    found = {place.split(".")[0] for place in model.changes.around(model.clip)} if model.changes else set()
    if model.adapter:
        pixels = images()
        frozen = FrozenImages(model.clip, (pixels,))
        text, image = model.teacher.text_features([CLASSES.template]), frozen.features(0)
        outputs = {"text": model.adapter.text(text[None], model.teacher), "image": model.adapter.image(image, frozen)}
        found |= {tower for tower, features in outputs.items() if features.requires_grad}
    return found


def _watched(model: PromptedCLIP, terms: Sequence[Term]) -> set[str]:
    """The towers whose features the terms depend on, beside the logits of these."""
    views = [images(seed=seed) for seed in range(max(term.views for term in terms))]
    frozen = FrozenImages(model.clip, views)
    text = model.teacher.text_features(["other {}."])[None].clone().requires_grad_()
    image = FrozenImages(model.clip, [images(seed=9)]).features(0).clone().requires_grad_()
    scale = model.clip.scale
    step = Step(LABELS, image, text, text, scale * image @ text[0].T, scale, model.teacher, frozen)
    loss = torch.stack([part for term in terms for part in term(step).values()]).sum()
    grads = torch.autograd.grad(loss, [text, image], allow_unused=True, materialize_grads=True)
    return {tower for tower, grad in zip(("text", "image"), grads, strict=True) if grad.any()}


def _listed(towers: Collection[str]) -> str:
    return ", ".join(sorted(towers)) or "none"
