"""What the numbers were measured on, without names that lead to a person or a place."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

import torch

from bmip.system.machine import processor


def describe(device: str) -> dict[str, str]:
    found = {
        "processor": processor(),
        "cores": str(_cores()),
        "memory": f"{_memory_kb('MemTotal', Path('/proc/meminfo')) / 1e6:.0f} GB",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
    return found


def free_memory() -> float:
    """Bytes that can be had; 0 where the system does not say."""
    return 1024 * _memory_kb("MemAvailable", Path("/proc/meminfo"))


def forget_peak_memory(device: str) -> None:
    """Peak memory counts from here on."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    elif Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: str) -> float:
    """Bytes: of this process, or what torch took on the GPU."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * _memory_kb("VmHWM", status)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_kb(field: str, file: Path) -> float:
    if not file.exists():
        return 0
    match = re.search(rf"^{field}:\s+(\d+) kB", file.read_text(), re.M)
    return float(match[1]) if match else 0
