import math
import platform
from pathlib import Path

import pytest
import torch

from bmip.clip.precision import Precision
from bmip.evaluation.evaluate import accuracy_on
from bmip.testing import tiny_clip
from bmip.training.config import TrainConfig
from bmip.training.loop import fit
from bmip.training.precision import LossScale, slow_precision
from bmip.training.state import State
from tests.training.test_loop import DATA, batches, built, tensors, trained


def test_bfloat16_trains_in_float32() -> None:
    """Only the frozen matrices are rounded; what is learned stays in float32."""
    exact, model = built("bmip"), built("bmip")
    validate = accuracy_on(model, DATA.test, DATA.classes)
    config = TrainConfig(optimizer="adam", lr=0.01, epochs=4, precision="bfloat16")
    first = fit(exact, batches(exact), TrainConfig(epochs=2)).epochs[0]
    history = fit(model, batches(model), config, validate=validate)
    assert model.clip.text.projection.weight.dtype == torch.bfloat16
    assert {tensor.dtype for tensor in model.trainable().values()} == {torch.float32}
    assert history.epochs[0].loss == pytest.approx(first.loss, rel=0.05)  # bfloat16 has 8 bits
    assert history.epochs[-1].loss < 0.85 * history.epochs[0].loss
    assert validate() > 60


def test_bfloat16_on_a_processor_without_it_gets_a_remark() -> None:
    cpu = torch.device("cpu")
    old, new = {"avx2": True, "avx512_bf16": False, "amx_bf16": False}, {"avx512_bf16": True, "amx_bf16": False}
    assert "no instructions for bfloat16" in str(slow_precision("bfloat16", cpu, old))
    assert "--precision float32" in str(slow_precision("bfloat16", cpu, {"neon": True, "bf16": False}))
    assert slow_precision("bfloat16", cpu, new) is None
    assert slow_precision("bfloat16", cpu, {"neon": True, "bf16": True, "sve_bf16": False}) is None
    assert slow_precision("bfloat16", cpu, {}) is None, "nothing is known"
    assert slow_precision("float32", cpu, old) is slow_precision("bfloat16", torch.device("cuda"), old) is None


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs Linux")
@pytest.mark.skipif(not hasattr(torch.cpu, "get_capabilities"), reason="this torch cannot tell")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other names on other processors")
def test_the_processor_is_known_as_the_system_knows_it() -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    native = bool(flags & {"avx512_bf16", "amx_bf16", "avx_ne_convert"})
    assert (slow_precision("bfloat16", torch.device("cpu")) is None) is native


def test_float16_is_refused_on_a_cpu() -> None:
    with pytest.raises(ValueError, match=r"float16 on a CPU is several times slower.*bfloat16"):
        trained("bmip", TrainConfig(precision="float16"))


def test_rounded_weights_cannot_be_made_whole() -> None:
    clip = tiny_clip()
    clip.set_precision("bfloat16")
    clip.set_precision("bfloat16")
    with pytest.raises(ValueError, match=r"stored in torch.bfloat16.*load it anew to compute in float32"):
        clip.set_precision("float32")


def test_the_loss_scale_changes_as_in_torch() -> None:
    ours = LossScale.of("float16")
    theirs = torch.amp.GradScaler("cpu")
    tensor = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([tensor], lr=0.0)
    for step in range(4100):
        grad = math.inf if step in (0, 1, 5, 2500) else 1.0
        theirs.scale(torch.zeros(1))
        tensor.grad = torch.tensor([grad])
        theirs.step(optimizer)
        theirs.update()
        ours.succeeded() if math.isfinite(grad) else ours.shrink()
        assert ours.scale == theirs.get_scale(), step


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_is_not_scaled_where_it_need_not_be(precision: Precision) -> None:
    """However many steps have succeeded, a gradient that is not finite is an error and no step to leave out."""
    ours = LossScale.of(precision)
    for _ in range(2100):
        ours.succeeded()
    assert (ours.scale, ours.can_shrink) == (1.0, False)


def test_a_scaled_loss_leaves_the_steps_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A power of two changes no digit."""
    plain = tensors(trained("bmip"))
    monkeypatch.setattr(LossScale, "of", lambda precision: LossScale(2.0**10, fixed=False))
    scaled = tensors(trained("bmip"))
    for name, tensor in plain.items():
        torch.testing.assert_close(scaled[name], tensor, atol=0, rtol=0)


def test_an_overflow_leaves_the_step_out_and_shrinks_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LossScale, "of", lambda precision: LossScale(2.0**10, fixed=False))
    states: list[State] = []
    init = State.__init__
    monkeypatch.setattr(State, "__init__", lambda self, *a: (states.append(self), init(self, *a))[1])
    model = built("ivlp")
    model.trainable()["prompter.text.0"].register_hook(
        lambda grad: grad * math.inf if states[0].scale.scale > 2.0**7 else grad
    )
    history = fit(model, batches(model), TrainConfig(epochs=2, lr=0.01))
    assert states[0].scale.scale == 2.0**7
    assert states[0].scale.steps == 12 - 3
    assert math.isfinite(history.epochs[-1].loss)
