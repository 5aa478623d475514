import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import get_args

import pytest
import torch
from torch import nn

from bmip.training.config import OptimizerName, TrainConfig
from bmip.training.optimizer import Optimizer

THEIRS: dict[str, Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]] = {
    "sgd": lambda tensors: torch.optim.SGD(tensors, momentum=0.9, weight_decay=5e-4),
    "adam": lambda tensors: torch.optim.Adam(tensors, weight_decay=5e-4, eps=1e-3),
    "adamw": lambda tensors: torch.optim.AdamW(tensors, weight_decay=5e-4, eps=1e-3),
}


def test_adam_adds_the_decay_to_the_gradient() -> None:
    """Two steps against the formula; the decoupled decay of AdamW would give another result."""
    start, grads, config = 0.7, [0.3, -0.1], TrainConfig(optimizer="adam", weight_decay=0.1)
    tensor = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = Optimizer({"x": tensor}, config)
    x, m, v = start, 0.0, 0.0
    for step, grad in enumerate(grads, start=1):
        tensor.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step(0.01)
        g = grad + 0.1 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.01 * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
    assert tensor.item() == pytest.approx(x, rel=1e-12)


def test_sgd_has_plain_momentum() -> None:
    tensor = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
    optimizer = Optimizer({"x": tensor}, TrainConfig(weight_decay=0.01))
    x, velocity = 0.7, 0.0
    for grad in (0.3, -0.1, 0.2):
        tensor.grad = torch.tensor(grad, dtype=torch.float64)
        optimizer.step(0.1)
        velocity = 0.9 * velocity + grad + 0.01 * x
        x -= 0.1 * velocity
    assert tensor.item() == pytest.approx(x, rel=1e-12)


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_each_bit_is_that_of_torchs_classes(name: OptimizerName) -> None:
    """Also where a tensor gets its first gradient late, or none at all."""
    generator = torch.Generator().manual_seed(1)
    ours = {key: nn.Parameter(torch.randn(4, 3, generator=generator)) for key in ("always", "late", "never")}
    theirs = {key: nn.Parameter(tensor.detach().clone()) for key, tensor in ours.items()}
    optimizer = Optimizer(ours, TrainConfig(optimizer=name, eps=1e-3))
    reference = THEIRS[name](theirs.values())
    for step in range(4):
        for key in ("always", "late")[: 2 if step else 1]:
            ours[key].grad = torch.randn(4, 3, generator=generator)
            theirs[key].grad = ours[key].grad
        optimizer.step(0.01 * (step + 1))
        reference.param_groups[0]["lr"] = 0.01 * (step + 1)
        reference.step()
    assert set(optimizer.state) == {"always", "late"}
    for key, tensor in ours.items():
        assert torch.equal(tensor, theirs[key])


def test_the_compiler_of_torch_is_not_imported() -> None:
    code = (
        "import sys, torch; from bmip.training.config import TrainConfig; "
        "from bmip.training.optimizer import Optimizer; "
        "x = torch.ones(2, requires_grad=True); x.sum().backward(); Optimizer({'x': x}, TrainConfig()).step(0.1);"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
