"""Checks on other CLIPs: one that computes in bfloat16, and one with a ResNet image tower."""

from __future__ import annotations

import torch

from bmip.prompting.method import Given
from bmip.testing.case import (
    CLASSES,
    LABELS,
    Case,
    gradients,
    images,
    loss,
    new_vit,
    require,
    require_refusal,
    resnet,
)


def bfloat16_is_finite_and_near(case: Case) -> None:
    """On a CLIP in bfloat16, logits and gradients are finite, and trainable parameters stay in float32."""
    pixels = images(dtype=torch.float32)
    gold = case.model(torch.float32)(pixels, CLASSES)
    model = case.on(new_vit(torch.float32).set_precision("bfloat16"))
    found = model(pixels, CLASSES)
    require(
        found.dtype == torch.float32 and bool(found.isfinite().all()),
        f"the logits are {found.dtype} and must be finite float32: compute norms and softmax in float32",
    )
    difference = ((found - gold).norm() / gold.norm()).item()
    require(difference <= 0.1, f"the logits differ from those in float32 by {100 * difference:.0f} %; 10 % are allowed")
    rounded = [name for name, weight in model.trainable().items() if weight.dtype != torch.float32]
    require(not rounded, f"{', '.join(rounded)} must be float32: do not take over the type of CLIP's matrices")
    bad = [name for name, grad in gradients(model, loss(model, torch.float32)).items() if not grad.isfinite().all()]
    require(not bad, f"the gradients of {', '.join(bad)} are not finite: compute in float32 where values grow")


def a_resnet_works_or_is_refused(case: Case) -> None:
    """A method without image prompts trains on a ResNet; one with image prompts is refused when it is built."""
    out = resnet().config.out
    nothing = Given(*(torch.zeros(count, out, dtype=torch.float64) for count in (1, len(CLASSES))))
    model = case.model()
    if model.prompter(nothing).image or model.student.image is not model.clip.image:
        require_refusal(
            lambda: case.on(resnet()),
            "takes no image prompts",
            "a ResNet takes no image prompts and has no blocks, so refuse it: take widths and depths from `clip.vit`",
        )
        return
    model = case.on(resnet())
    views = [images(dtype=torch.float32, size=32, seed=view) for view in range(model.views)]
    parts = model.losses(views, LABELS).parts
    bad = [name for name, part in parts.items() if not part.isfinite()]
    require(not bad, f"on a ResNet the loss {', '.join(bad)} is not finite")
    if model.trainable():
        model.backward(parts)
        require(
            any(weight.grad is not None and bool(weight.grad.any()) for weight in model.trainable().values()),
            "on a ResNet no trainable parameter gets a gradient",
        )
