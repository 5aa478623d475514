"""The scaled loss that training in float16 needs."""

from __future__ import annotations

from dataclasses import dataclass

from bmip.clip.precision import Precision

_LARGEST = 2.0**16
_GROWS_AFTER = 2000


@dataclass
class LossScale:
    """Keeps float16 gradients from vanishing: halved when one overflows, doubled after 2000 steps without.

    As torch.amp.GradScaler with its defaults, as a value that can be written down.
    """

    scale: float = 1.0
    steps: int = 0
    """Without an overflow."""

    @classmethod
    def of(cls, precision: Precision) -> LossScale:
        return cls(_LARGEST if precision == "float16" else 1.0)

    @property
    def can_shrink(self) -> bool:
        return self.scale > 1

    def shrink(self) -> None:
        self.scale, self.steps = self.scale / 2, 0

    def succeeded(self) -> None:
        self.steps += 1
        if self.steps == _GROWS_AFTER:
            self.scale, self.steps = self.scale * 2, 0
