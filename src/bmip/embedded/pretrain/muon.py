"""Muon for the matrices inside blocks, AdamW for everything else. States are kept by name, so they survive growth.

Muon makes the update of a matrix orthogonal: all its directions move equally far. (Jordan et al., "Muon: An optimizer
for hidden layers in neural networks", 2024: the coefficients and the scale are theirs)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

_MATRIX = re.compile(r"\.blocks\.\d+\.(qkv|out|up|down)\.weight$")
_MOMENTUM = 0.95
_BETAS = (0.9, 0.98)
_TINY = 1e-8


class Optimizer:
    """Muon for the matrices inside the blocks, AdamW for everything else.

    Args:
        weights: names and parameters, which are changed in place.
        matrix_lr: highest learning rate of Muon.
        lr: highest learning rate of AdamW.
        weight_decay: the share of a matrix that a step with a learning rate of 1 would remove. AdamW has none here.
    """

    def __init__(
        self, weights: Iterable[tuple[str, nn.Parameter]], *, matrix_lr: float, lr: float, weight_decay: float
    ) -> None:
        self.weights = dict(weights)
        self.matrix_lr, self.lr, self.weight_decay = matrix_lr, lr, weight_decay
        self.state: dict[str, Tensor] = {}
        """Momentum, mean square and number of steps of each weight, as "first/NAME", "second/NAME" and "age/NAME"."""

    @torch.no_grad()
    def step(self, size: float, precision: torch.dtype = torch.float32) -> None:
        """Makes one step and drops the gradients.

        Args:
            size: the learning rate as a share of the highest one.
            precision: number type of Muon's products.
        """
        directions: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for name, weight in self.weights.items():
            if weight.grad is None:
                continue
            if _MATRIX.search(name):
                first = self._state("first", name, weight).mul_(_MOMENTUM).add_(weight.grad)
                ahead = weight.grad.add(first, alpha=_MOMENTUM)
                whole = [(weight, ahead)]
                if name.endswith("qkv.weight"):
                    whole = list(zip(weight.chunk(3), ahead.chunk(3), strict=True))
                for part, direction in whole:
                    directions[tuple(sorted(part.shape))].append((part, direction))
            else:
                self._adam(name, weight, size * self.lr)
            weight.grad = None
        for parts in directions.values():
            wide = [ahead if ahead.shape[0] <= ahead.shape[1] else ahead.T for _, ahead in parts]
            for (weight, ahead), update in zip(parts, orthogonal(torch.stack(wide).to(precision)), strict=True):
                update = update if ahead.shape[0] <= ahead.shape[1] else update.T
                longer = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
                weight.mul_(1 - size * self.matrix_lr * self.weight_decay)
                weight.add_(update.to(weight.dtype), alpha=-size * self.matrix_lr * longer)

    def rename(self, names: Mapping[str, str], weights: Iterable[tuple[str, nn.Parameter]]) -> None:
        """Goes on with other weights. `names` gives the new name of each weight that was there before."""
        self.weights = dict(weights)
        moved = ((key.split("/", 1), value) for key, value in self.state.items())
        self.state = {f"{kind}/{names[name]}": value for (kind, name), value in moved}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up saved states, each on the device of its weight."""
        for key, value in state.items():
            kind, name = key.split("/", 1)
            self.state[key] = value if kind == "age" else value.to(self.weights[name].device)

    def _adam(self, name: str, weight: nn.Parameter, lr: float) -> None:
        grad = weight.grad
        assert grad is not None
        age = self._state("age", name, torch.zeros((), device="cpu")).add_(1).item()
        first = self._state("first", name, weight).lerp_(grad, 1 - _BETAS[0])
        second = self._state("second", name, weight).mul_(_BETAS[1]).addcmul_(grad, grad, value=1 - _BETAS[1])
        root = (second / (1 - _BETAS[1] ** age)).sqrt_().add_(_TINY)
        weight.addcdiv_(first, root, value=-lr / (1 - _BETAS[0] ** age))

    def _state(self, kind: str, name: str, like: Tensor) -> Tensor:
        key = f"{kind}/{name}"
        if key not in self.state:
            self.state[key] = torch.zeros_like(like)
        return self.state[key]


def orthogonal(wide: Float[Tensor, "matrix row column"]) -> Float[Tensor, "matrix row column"]:
    """Each matrix with its singular values replaced by values near 1 (0.7 to 1.2).

    The matrices have at most as many rows as columns.
    """
    x = wide / (wide.float().flatten(1).norm(dim=1)[:, None, None] + _TINY).to(wide.dtype)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x
