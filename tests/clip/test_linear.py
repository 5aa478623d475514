import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bmip.clip import linear
from bmip.clip.linear import FrozenLinear, Linear, mkl_is_slow

SIZES = st.integers(1, 40)
AMD = {"cpu_name": "AMD EPYC", "avx512_f": True}


@pytest.fixture(params=[False, True], ids=["torch", "onednn"])
def either_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param and not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(linear, "_by_onednn", lambda: request.param)
    return request.param


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
@given(rows=SIZES, inward=SIZES, outward=SIZES, biased=st.booleans(), seed=st.integers(0, 99))
def test_onednn_gives_torch_s_values_and_gradients(
    rows: int, inward: int, outward: int, biased: bool, seed: int
) -> None:
    draw = torch.Generator().manual_seed(seed)
    x, weight, bias, grad = (
        torch.randn(*shape, generator=draw)
        for shape in ((rows, inward), (outward, inward), (outward,), (rows, outward))
    )
    given_bias = bias if biased else None
    x.requires_grad_()
    found = FrozenLinear.apply(x, weight, given_bias)
    assert isinstance(found, Tensor)
    wanted = F.linear(x.double(), weight.double(), None if given_bias is None else given_bias.double())
    torch.testing.assert_close(found.double(), wanted, atol=1e-4, rtol=1e-5)
    (own,) = torch.autograd.grad(found, x, grad)
    torch.testing.assert_close(own.double(), grad.double() @ weight.double(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("lead", [(3,), (2, 3), (2, 1, 3), (0,), (2, 0)])
def test_rows_of_any_shape(lead: tuple[int, ...], either_library: bool) -> None:
    layer = Linear(5, 6).requires_grad_(False)
    x = torch.randn(*lead, 5, requires_grad=True)
    torch.testing.assert_close(layer(x), x @ layer.weight.T + layer.bias)
    torch.testing.assert_close(layer.rows(x, 2, 5), layer(x)[..., 2:5])
    torch.testing.assert_close(layer(x.expand(4, *x.shape)), layer(x).expand(4, *lead, 6))
    changed = layer(x)  # towers scale queries in place, and the gradient must follow
    changed[..., :3].mul_(2)
    (grad,) = torch.autograd.grad(changed.sum(), x)
    factor = torch.tensor([2.0] * 3 + [1.0] * 3)
    torch.testing.assert_close(grad, (factor @ layer.weight).expand_as(x))


def test_what_is_trained_gets_its_gradient(either_library: bool) -> None:
    layer, x = Linear(5, 6), torch.randn(3, 5)
    layer(x).sum().backward()
    assert layer.weight.grad is not None and layer.bias.grad is not None
    torch.testing.assert_close(layer.weight.grad, x.sum(0).expand(6, 5))
    layer = Linear(5, 6)
    layer.weight.requires_grad_(False)
    layer(x).sum().backward()
    assert layer.weight.grad is None and layer.bias.grad is not None


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_it_computes_in_the_type_of_the_weight(dtype: torch.dtype, either_library: bool) -> None:
    assert Linear(5, 6).requires_grad_(False).to(dtype)(torch.randn(3, 5)).dtype == dtype


def test_a_traced_program_holds_operations_for_any_machine(either_library: bool) -> None:
    layer = Linear(5, 6).requires_grad_(False)
    program = torch.export.export(layer, (torch.randn(3, 5),))
    assert "mkldnn" not in str(program.graph) and "linear" in str(program.graph)


def test_only_amd_s_wide_processors_take_onednn() -> None:
    assert mkl_is_slow(AMD)
    assert not mkl_is_slow({**AMD, "avx512_f": False})
    assert not mkl_is_slow({**AMD, "cpu_name": "Intel(R) Xeon(R)"})
    assert not mkl_is_slow({}), "an older torch does not tell"
