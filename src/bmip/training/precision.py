"""The scaled loss that training in float16 needs, and a remark about bfloat16 where it is slow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from bmip.clip.precision import Precision

_LARGEST = 2.0**16
_GROWS_AFTER = 2000
_WITH_BFLOAT16 = ("avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16", "sve_bf16")
"""Capabilities with which a processor, x86 or ARM, computes in bfloat16 itself. (torch.cpu.get_capabilities)"""


def slow_precision(
    precision: Precision, device: torch.device, capabilities: Mapping[str, Any] | None = None
) -> str | None:
    """A remark where the processor has no instructions for bfloat16 and torch imitates them; None everywhere else.

    Args:
        precision: the number type in which the towers compute.
        device: where they compute.
        capabilities: of the processor, by default as torch finds them. Older versions of torch cannot tell; then there
            is no remark.
    """
    if precision != "bfloat16" or device.type != "cpu":
        return None
    found: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)() if capabilities is None else capabilities
    known = [found[name] for name in _WITH_BFLOAT16 if name in found]
    if any(known) or not known:
        return None
    return (
        "this processor has no instructions for bfloat16, which is about four times slower than float32 on it: use "
        "precision float32 (--precision float32), unless the results must compare with others in bfloat16"
    )


@dataclass
class LossScale:
    """The factor of the loss that keeps float16 gradients from becoming zero.

    It is halved when a gradient overflows, and doubled after 2000 steps without an overflow: as torch.amp.GradScaler
    does by default. Unlike that class, it is a value that can be saved.
    """

    scale: float = 1.0
    """The factor; always 1 in other types than float16."""

    steps: int = 0
    """The number of steps since the last overflow or change."""

    fixed: bool = True
    """Whether it stays as it is: an overflow is an error then. In other types than float16."""

    @classmethod
    def of(cls, precision: Precision) -> LossScale:
        """The scale at the start of training."""
        return cls(_LARGEST, fixed=False) if precision == "float16" else cls()

    @property
    def can_shrink(self) -> bool:
        """Whether a smaller scale can be tried after an overflow."""
        return not self.fixed and self.scale > 1

    def shrink(self) -> None:
        """Halve the scale, after an overflow."""
        self.scale, self.steps = self.scale / 2, 0

    def succeeded(self) -> None:
        """Count a step without an overflow."""
        if self.fixed:
            return
        self.steps += 1
        if self.steps == _GROWS_AFTER:
            self.scale, self.steps = self.scale * 2, 0
