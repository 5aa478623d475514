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

_EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def machine(device: torch.device) -> dict[str, Any]:
    """Processor, cores that this process may use, threads of torch, bytes of memory, GPU; None where unknown."""
    return {
        "processor": processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "memory": _memory(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def cores() -> int:
    """How many processor cores this process may use: a batch system or a container may allow fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor with what tells one of its kind from another in speed and rounding, as far as the system says it:
    "AMD EPYC (family 26, model 2; avx2, avx512f)"."""
    text = PROCESSORS.read_text(encoding="utf-8") if PROCESSORS.exists() else ""
    name, family, model = (
        found[1].strip() if (found := re.search(rf"^{field}\s*:\s*(\S.*)$", text, re.MULTILINE)) else ""
        for field in ("model name", "cpu family", "model")
    )
    if not name:
        return platform.processor() or platform.machine()
    kind = ", ".join(f"{word} {value}" for word, value in (("family", family), ("model", model)) if value)
    known = ", ".join(flag for flag in _EXTENSIONS if re.search(rf"\b{flag}\b", text))
    inside = "; ".join(part for part in (kind, known) if part)
    return f"{name} ({inside})" if inside else name


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows, and systems that do not tell
        return None
