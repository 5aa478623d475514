"""A trained run, as commands find it on disk."""

from __future__ import annotations

from pathlib import Path

from bmip.clip.loading.load import load_clip
from bmip.prompting.checkpoint import read_description
from bmip.prompting.model import PromptedCLIP
from bmip.system.device import pick_device
from bmip.training.checkpoint import from_pretrained


def load_run(run: Path, backbone: str | None, device: str) -> PromptedCLIP:
    """The trained model, ready to classify, in the precision it was trained in."""
    description = read_description(run)
    clip = load_clip(backbone or description.backbone).to(pick_device(device))
    return from_pretrained(run, clip.set_precision(description.spec.precision))


def listed(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",")]
