"""SGD with momentum, Adam and AdamW. (Dassl, as the released code uses them)

The arithmetic is that of torch's functions. The optimiser classes of torch would do the same, but the first one that is
made imports the compiler of torch (torch._dynamo), which takes more than a second.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from bmip.training.config import TrainConfig


class Optimizer:
    """Steps as `SGD`, `Adam` and `AdamW` of `torch.optim` do, with a state of named tensors that can be stored.

    Args:
        trainable: the tensors, which are changed in place. A tensor without a gradient is left alone, by weight decay
            too.
        config: says which optimiser it is, its weight decay and its momentum.
    """

    def __init__(self, trainable: Mapping[str, Tensor], config: TrainConfig) -> None:
        self.trainable, self.config = trainable, config
        self.state: dict[str, dict[str, Tensor]] = {}
        """For each tensor that has had a gradient: its momentum, or its two moments and the number of steps."""

    def zero_grad(self) -> None:
        """Drops the gradients."""
        for tensor in self.trainable.values():
            tensor.grad = None

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Changes every tensor that has a gradient, with this learning rate."""
        grads = {name: tensor.grad for name, tensor in self.trainable.items() if tensor.grad is not None}
        tensors = [self.trainable[name] for name in grads]
        update = self._sgd if self.config.optimizer == "sgd" else self._adam
        update(list(grads), tensors, list(grads.values()), lr)

    def _sgd(self, names: list[str], tensors: list[Tensor], grads: list[Tensor], lr: float) -> None:
        momenta = [self.state.get(name, {}).get("momentum_buffer") for name in names]
        sgd(
            tensors,
            grads,
            momenta,
            lr=lr,
            momentum=self.config.momentum,
            weight_decay=self.config.weight_decay,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        for name, momentum in zip(names, momenta, strict=True):
            if momentum is not None:
                self.state[name] = {"momentum_buffer": momentum}

    def _adam(self, names: list[str], tensors: list[Tensor], grads: list[Tensor], lr: float) -> None:
        for name, tensor in zip(names, tensors, strict=True):
            if name not in self.state:
                moments = {key: torch.zeros_like(tensor) for key in ("exp_avg", "exp_avg_sq")}
                self.state[name] = {**moments, "step": torch.tensor(0.0)}
        own = [self.state[name] for name in names]
        step = adamw if self.config.optimizer == "adamw" else adam
        step(
            tensors,
            grads,
            [state["exp_avg"] for state in own],
            [state["exp_avg_sq"] for state in own],
            [],
            [state["step"] for state in own],
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=lr,
            weight_decay=self.config.weight_decay,
            eps=self.config.eps,
            maximize=False,
        )
