"""Versions and hardware that a result may depend on."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import bmip


def environment(device: torch.device | str = "cpu") -> dict[str, Any]:
    """Versions, device and threads; and the commit if the package runs from its own git checkout."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": torch.__version__,
        "bmip": version("bmip"),
        "commit": (commit := _git("rev-parse", "HEAD") if _own_checkout() else None),
        "dirty": None if commit is None else bool(_git("status", "--porcelain", "--untracked-files=no")),
        "device": f"{device.type} ({name})",
        "threads": torch.get_num_threads(),
    }


def _own_checkout() -> bool:
    """Whether git tracks this package: an installed one may lie inside the checkout of another project."""
    return _git("ls-files", "--error-unmatch", "__init__.py") is not None


def _git(*arguments: str) -> str | None:
    folder = Path(bmip.__file__).parent
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
