"""Low-rank differences to frozen linear maps, and how they become a part of these."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.changed import changed
from bmip.clip.linear import Linear
from bmip.clip.model import CLIP


class LowRank(nn.Module):
    """The difference scale * up down to a matrix. It starts at zero.

    Args:
        inward: channels that come in.
        outward: channels that come out.
        rank: of the difference.
        scale: its factor.
        dropout: the share of the incoming channels that each token lacks in training.
    """

    def __init__(self, inward: int, outward: int, rank: int, *, scale: float, dropout: float) -> None:
        super().__init__()
        self.scale, self.dropout = scale, nn.Dropout(dropout)
        self.down = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(rank, inward), a=5**0.5))
        self.up = nn.Parameter(torch.zeros(outward, rank))

    def forward(self, x: Float[Tensor, "*lead inward"]) -> Float[Tensor, "*lead outward"]:
        down, up = (factor.to(x.dtype) for factor in (self.down, self.up))
        return self.scale * F.linear(F.linear(self.dropout(x), down), up)

    def matrix(self) -> Float[Tensor, "outward inward"]:
        """The difference as a matrix, in at least float32."""
        return self.scale * self.up @ self.down


class LowRankLinear(nn.Module):
    """A frozen linear map whose output consists of equal parts, each with a low-rank difference.

    It can stand in the place of that map. (`bmip.clip.changed`)

    Args:
        frozen: the map. It is used and not held as a part of this module, so it is not trained and not stored.
        differences: one for each part.
    """

    def __init__(self, frozen: Linear, differences: Sequence[LowRank]) -> None:
        super().__init__()
        self.differences = nn.ModuleList(differences)
        self._frozen = (frozen,)

    def forward(self, x: Float[Tensor, "*lead inward"]) -> Float[Tensor, "*lead outward"]:
        return self.rows(x, 0, len(self._frozen[0].weight))

    def rows(self, x: Float[Tensor, "*lead inward"], start: int, stop: int) -> Float[Tensor, "*lead part"]:
        """The channels from `start` to `stop` of what `forward` returns; both are ends of parts."""
        (frozen,) = self._frozen
        part = len(frozen.weight) // len(self.differences)
        x = x.to(frozen.weight.dtype)
        added = [difference(x) for difference in self.differences[start // part : stop // part]]
        return frozen.rows(x, start, stop) + torch.cat(added, dim=-1)

    @torch.no_grad()
    def merged(self) -> Linear:
        """A frozen linear map that computes the same without the dropout; the sum is rounded to the frozen type."""
        (frozen,) = self._frozen
        added = torch.cat([difference.matrix() for difference in self.differences])  # pyright: ignore[reportCallIssue]
        plain = copy.deepcopy(frozen).requires_grad_(False)
        plain.weight.copy_(frozen.weight.to(added.dtype) + added)
        return plain


def merged(clip: CLIP) -> CLIP:
    """The CLIP with a plain linear map in the place of each that has differences. It shares everything else."""
    return changed(
        clip, {name: part.merged() for name, part in clip.named_modules() if isinstance(part, LowRankLinear)}
    )
