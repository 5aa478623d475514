"""The scaled loss that training in float16 needs."""

from __future__ import annotations

from dataclasses import dataclass

from bmip.clip.precision import Precision

_LARGEST = 2.0**16
_GROWS_AFTER = 2000


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

    @classmethod
    def of(cls, precision: Precision) -> LossScale:
        """The scale at the start of training."""
        return cls(_LARGEST if precision == "float16" else 1.0)

    @property
    def can_shrink(self) -> bool:
        """Whether a smaller scale can be tried after an overflow."""
        return self.scale > 1

    def shrink(self) -> None:
        """Halve the scale, after an overflow."""
        self.scale, self.steps = self.scale / 2, 0

    def succeeded(self) -> None:
        """Count a step without an overflow."""
        self.steps += 1
        if self.steps == _GROWS_AFTER:
            self.scale, self.steps = self.scale * 2, 0
