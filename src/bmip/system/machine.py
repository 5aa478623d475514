"""The machine that computes, without names that lead to a person or a place."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

import torch

PROCESSORS = Path("/proc/cpuinfo")
"""Where Linux tells about the processors."""


def machine(device: torch.device) -> dict[str, Any]:
    """Processor, cores that this process may use, threads of torch, bytes of memory, GPU; None where unknown."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "memory": _memory(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def cores() -> int:
    """How many processor cores this process may use: a batch system or a container may allow fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    text = PROCESSORS.read_text(encoding="utf-8") if PROCESSORS.exists() else ""
    named = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    return named[1].strip() if named else platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows, and systems that do not tell
        return None
