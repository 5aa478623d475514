"""Versions and the machine that a result may depend on."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy
import PIL
import torch

import bmip
from bmip.system.machine import machine


def environment(device: torch.device | str = "cpu") -> dict[str, Any]:
    """Versions and the machine (`machine`); and the state of the `code`."""
    device = torch.device(device)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "pillow": PIL.__version__,
        "bmip": version("bmip"),
        **code(),
        "device": device.type,
        **machine(device),
    }


@cache
def code() -> dict[str, Any]:
    """The commit, and whether the package was changed since; None where it runs from no checkout of its own.

    Both are as they were when this process first asked, since it goes on with the code that it has loaded.
    """
    if not _own_checkout():
        return {"commit": None, "dirty": None}
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return {"commit": _git("rev-parse", "HEAD"), "dirty": None if changed is None else bool(changed)}


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
