"""What computing in 16 bit needs: a CLIP stored in that type, and for float16 a scaled loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from bmip.clip.model import CLIP
from bmip.clip.precision import Precision

_LARGEST = 2.0**16
_GROWS_AFTER = 2000


def use_precision(clip: CLIP, precision: Precision) -> None:
    """Store the CLIP's matrices in this type, unless they are.

    Raises ValueError where they were rounded to another 16-bit type before, since that cannot be taken back.
    """
    stored = clip.text.projection.weight.dtype
    wanted = getattr(torch, precision)
    if stored == wanted:
        return
    if stored != torch.float32:
        raise ValueError(
            f"this CLIP's matrices are stored in {stored} and cannot become {wanted} again: "
            f"load it anew to compute in {precision}"
        )
    clip.set_precision(precision)


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
