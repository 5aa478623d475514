"""The choice of the device that computes."""

from __future__ import annotations

import torch


def pick_device(name: str = "auto") -> torch.device:
    """The device of this name; `auto` is a GPU if there is one. Raises ValueError for a device that does not exist.

    From then on float32 means float32 on a GPU: cuDNN's convolutions would otherwise round their inputs to 10 bits.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(device for device in ("cuda", "mps", "cpu") if there[device])
    kind, _, index = name.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if not there.get(kind, False) or (":" in name and not (index.isdecimal() and int(index) < count)):
        usable = ", ".join(device for device, found in there.items() if found)
        raise ValueError(f"this machine has no device {name!r}: it has {usable}")
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)
