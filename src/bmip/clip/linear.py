"""Linear maps that compute in the type of their weight, with the faster of the two libraries that torch brings.

On a processor torch multiplies matrices of float32 with MKL, which uses half the width of AMD's AVX-512 registers.
oneDNN, which torch has for other types, uses all of it, so there the frozen maps of the towers are oneDNN's.
(benchmarks/products.py)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class Linear(nn.Linear):
    """A linear map that computes, and returns, in the type of its weight."""

    def forward(self, input: Float[Tensor, "*lead inward"]) -> Float[Tensor, "*lead outward"]:
        return _linear(input, self.weight, self.bias)

    def rows(self, input: Float[Tensor, "*lead inward"], start: int, stop: int) -> Float[Tensor, "*lead part"]:
        """The channels from `start` to `stop` of what `forward` returns."""
        return _linear(input, self.weight[start:stop], None if self.bias is None else self.bias[start:stop])


class FrozenLinear(torch.autograd.Function):
    """F.linear of rows by oneDNN, for float32 on a processor. Only the rows get a gradient."""

    @staticmethod
    def forward(ctx, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(weight)
        return _onednn(input, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (weight,) = ctx.saved_tensors
        return _onednn(grad, weight.T, None), None, None


def mkl_is_slow(capabilities: Mapping[str, Any] | None = None) -> bool:
    """Whether MKL leaves half of this processor unused.

    `capabilities`: of the processor, by default as torch finds them. Older versions of torch cannot tell: then false.
    """
    found: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)() if capabilities is None else capabilities
    return "AMD" in found.get("cpu_name", "") and bool(found.get("avx512_f"))


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    input = input.to(weight.dtype)
    if not (_by_onednn() and _suits(weight, bias) and input.numel()) or torch.compiler.is_compiling():
        return F.linear(input, weight, bias)  # a traced program is for any machine
    rows: Tensor = FrozenLinear.apply(input.reshape(-1, input.shape[-1]), weight, bias)  # pyright: ignore
    return rows.view(*input.shape[:-1], len(weight))


def _suits(weight: Tensor, bias: Tensor | None) -> bool:
    trained = weight.requires_grad or (bias is not None and bias.requires_grad)
    return weight.dtype == torch.float32 and weight.device.type == "cpu" and not trained


def _onednn(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")


@cache
def _by_onednn() -> bool:
    return torch.backends.mkldnn.is_available() and mkl_is_slow()
