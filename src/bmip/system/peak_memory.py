"""The most memory that this process holds at one time, from a moment on that one chooses."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None

PROCESS = Path("/proc/self")
"""Where Linux tells about this process."""

FORGET = "5"
"""What Linux takes to count the highest resident memory from here on."""


@dataclass(frozen=True)
class Peak:
    """The most bytes that were held at one time; None where that is unknown."""

    cpu: int | None = None
    """Resident memory of this process: the interpreter, all libraries and the backbone are part of it."""

    gpu: int | None = None
    """What torch held on the GPU."""

    def with_other(self, other: Peak) -> Peak:
        """The peak of two spans of time; None where one of them is unknown."""
        return Peak(_larger(self.cpu, other.cpu), _larger(self.gpu, other.gpu))


class PeakMemory:
    """Measures the peak of the time since it was made. Only the one that was made last measures.

    Linux counts anew from here on, where it lets this process ask for that. Elsewhere the system knows only the highest
    memory since the process began. This is the peak of this time if it has grown in this time, and unknown otherwise.

    Args:
        device: where torch computes.
        process: the folder in which Linux tells about this process.
    """

    def __init__(self, device: torch.device | str = "cpu", process: Path = PROCESS) -> None:
        self._device, self._process = torch.device(device), process
        try:
            (process / "clear_refs").write_text(FORGET)
            self._before: int | None = 0
        except OSError:
            self._before = _highest(process)
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)

    def read(self) -> Peak:
        """The peak until now."""
        highest = _highest(self._process)
        if highest is None or self._before is None or highest <= self._before:
            highest = None
        return Peak(highest, torch.cuda.max_memory_allocated(self._device) if self._device.type == "cuda" else None)


def _highest(process: Path) -> int | None:
    """The highest resident memory of this process in bytes, as far as the system tells."""
    status = process / "status"
    if status.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"), re.MULTILINE)
        return 1024 * int(found[1]) if found else None
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _larger(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
