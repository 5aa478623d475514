"""How far every released configuration lies from the golden vectors on a device: logits, loss and gradients."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F

from bmip.system.device import pick_device


def cells(device: str) -> list[str]:
    return ["parity/cuda"] if device == "cuda" else []


def measure(cell: str) -> dict[str, Any]:
    from tests.golden import recipe
    from tests.golden.test_methods import CASES, released

    device = pick_device(cell.split("/")[1].rstrip("12"))
    found = {}
    for name in CASES:
        case, model, names = released(name)
        model.clip.to(device)
        model.to(device)
        images, labels = recipe.images().to(device), recipe.LABELS.to(device)
        logits = model(images, model.classes)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        worst = 0.0
        for ours, official in names.items():
            grad, record = model.trainable()[ours].grad, case.manifest["grads"][official]
            assert grad is not None, ours
            # The golden norms are given to 1e-5 beside the relative part, for gradients that are near zero.
            worst = max(worst, abs(grad.norm().item() - record["norm"]) / (record["norm"] + 0.05))
        found[name] = {
            "logits": (logits.detach().cpu() - case.gold["logits"]).abs().max().item(),
            "loss": abs(loss.item() - case.gold["loss"].item()),
            "gradient": worst,
        }
        model.clip.to("cpu")
    return found
