"""Turns the parts of a loss into gradients, edited by the terms that have guides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from bmip.prompting.method import Term


def guides_of(terms: Iterable[Term]) -> frozenset[str]:
    """The parts that edit the gradient and are not minimised themselves."""
    return frozenset(name for term in terms for name in term.guides)


def set_gradients(
    parts: Mapping[str, Tensor], terms: Sequence[Term], scale: float, trained: Callable[[], Iterable[nn.Parameter]]
) -> None:
    """Give what is trained, which has no `grad` yet, `scale` times the gradient of the sum of the parts.

    Terms with guides edit it; the parts that are their guides are not in the sum. `trained` gives the parameters. It is
    asked only where there is such a term, since to find them among CLIP's takes time.
    """
    editors = [term for term in terms if term.guides]
    guides = guides_of(editors)
    minimised = torch.stack([part for name, part in parts.items() if name not in guides]).sum()
    (minimised * scale).backward(retain_graph=bool(editors))
    parameters = list(trained()) if editors else []
    for number, term in enumerate(editors, start=1):
        tensors = [tensor for tensor in parameters if tensor.grad is not None]
        guide = torch.stack([parts[name] for name in sorted(term.guides)]).sum() * scale
        found = torch.autograd.grad(
            guide, tensors, retain_graph=number < len(editors), allow_unused=True, materialize_grads=True
        )
        own = [tensor.grad for tensor in tensors if tensor.grad is not None]
        edited = term.edit(*(torch.cat([grad.flatten() for grad in grads]) for grads in (own, found)))
        for grad, new in zip(own, edited.split([grad.numel() for grad in own]), strict=True):
            grad.copy_(new.view_as(grad))
