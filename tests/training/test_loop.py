from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from bmip.data.batches import TrainBatches
from bmip.evaluation.evaluate import accuracy_on
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.config import TrainConfig
from bmip.training.finite import TrainingError
from bmip.training.loop import fit
from bmip.training.progress import Tick
from tests.training.tiny import LEARNING, OPTIONS

DATA = tiny_dataset()
REGULARISED = "tests.training.regularised"
QUICK = TrainConfig(optimizer="adam", lr=0.01, epochs=2)


def built(method: str, seed: int = 1, **options) -> PromptedCLIP:
    return build_model(method, {**OPTIONS.get(method, {}), **options}, tiny_clip(), DATA.classes, seed=seed)


def batches(model: PromptedCLIP, data_seed: int = 1) -> TrainBatches:
    return TrainBatches(DATA.train, 16, 4, data_seed, model.views, DATA.augmentation)


def trained(method: str, config: TrainConfig = QUICK, *, init: int = 1, data: int = 1, **options) -> PromptedCLIP:
    model = built(method, init, **options)
    fit(model, batches(model, data), config, seed=init)
    return model


def tensors(model: PromptedCLIP) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.trainable().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("method", [*LEARNING, REGULARISED])
def test_training_learns_and_leaves_clip_alone(method: str) -> None:
    model = built(method)
    before, frozen = tensors(model), {name: t.clone() for name, t in model.clip.state_dict().items()}
    validate = accuracy_on(model, DATA.val or DATA.test, DATA.classes)
    config = TrainConfig(optimizer="adam", lr=0.01, epochs=4)
    history = fit(model, batches(model), config, validate=validate)
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3, 4]
    assert history.epochs[-1].loss < 0.85 * history.epochs[0].loss
    assert history.epochs[-1].train_accuracy > history.epochs[0].train_accuracy
    assert validate() > 60
    assert same(dict(model.clip.state_dict()), frozen)
    assert not any(torch.equal(before[name], now) for name, now in model.trainable().items())
    assert not model.training
    assert all(tensor.grad is None for tensor in model.trainable().values())


def test_zero_shot_trains_nothing() -> None:
    model = built("zero_shot")
    history = fit(model, batches(model), QUICK)
    assert (history.epochs, history.kept, history.stopped_early) == ((), None, False)


@pytest.mark.parametrize("method", ["bmip", REGULARISED])
def test_seeds_decide_everything(method: str) -> None:
    once, model = tensors(trained(method)), built(method)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    fit(model, batches(model), QUICK, seed=1)
    assert same(once, tensors(model))
    assert torch.equal(state, torch.get_rng_state())
    assert not same(once, tensors(trained(method, init=2)))
    assert not same(once, tensors(trained(method, data=2)))


def test_the_loss_is_the_sum_of_its_parts_and_all_are_written_down() -> None:
    model = built(REGULARISED)
    ticks: list[Tick] = []
    history = fit(model, batches(model), QUICK, progress=ticks.append)
    first = history.epochs[0]
    assert set(first.losses) == {"cross_entropy", "agreement"}
    assert first.loss == pytest.approx(sum(tick.loss for tick in ticks[:6]) / 6)
    assert [(tick.epoch, tick.step) for tick in ticks] == [(e, s) for e in (1, 2) for s in range(1, 7)]
    assert {(tick.epochs, tick.steps) for tick in ticks} == {(2, 6)}
    assert (first.lr, history.epochs[1].lr) == (1e-5, 0.01)


def test_one_epoch_equals_a_plain_loop() -> None:
    model, plain = built("bmip"), built("bmip")
    fit(model, batches(model), TrainConfig(epochs=1, lr=0.05))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (plain.clip.config.mean, plain.clip.config.std))
    optimizer = torch.optim.SGD(plain.trainable().values(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for (view,), labels in batches(plain).epoch(0):
        optimizer.zero_grad()
        logits = plain((view / 255 - mean) / std, DATA.classes)
        torch.nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    for name, tensor in plain.trainable().items():
        torch.testing.assert_close(model.trainable()[name], tensor, atol=1e-6, rtol=1e-5)


def test_an_average_weighs_the_epochs() -> None:
    """Against the states after 1, 2, 3, ... epochs, each trained on its own."""
    density = [torch.distributions.Normal(3.0, 1.5).log_prob(torch.tensor(float(e))).exp() for e in (1, 2, 3, 4)]
    seen: list[dict[str, Tensor]] = []
    model = built(REGULARISED)
    config = TrainConfig(lr=0.01, epochs=4)

    def note() -> float:
        seen.append(tensors(model))
        return 50.0

    history = fit(model, batches(model), config, validate=note)
    assert history.kept is None
    for name, tensor in model.trainable().items():
        expected = sum(w * t[name] for w, t in zip(density, seen, strict=True)) / sum(density)
        torch.testing.assert_close(tensor.detach(), expected, atol=1e-6, rtol=1e-5)


def test_best_val_brings_the_best_epoch_back() -> None:
    model = built("ivlp")
    accuracies: Iterator[float] = iter([10, 60, 50, 60, 40, 30, 20, 99])
    seen: list[dict[str, Tensor]] = []

    def validate() -> float:
        seen.append(tensors(model))
        return float(next(accuracies))

    config = TrainConfig(lr=0.01, epochs=8, selection="best-val", patience=4, min_epochs=5)
    history = fit(model, batches(model), config, validate=validate)
    assert (len(history.epochs), history.kept, history.stopped_early) == (6, 2, True)
    assert same(tensors(model), seen[1])


def test_best_val_is_refused_without_validation_or_with_an_average() -> None:
    config = TrainConfig(selection="best-val")
    with pytest.raises(ValueError, match="needs a validation split"):
        fit(model := built("ivlp"), batches(model), config)
    with pytest.raises(ValueError, match="averages over epochs: use 'last'"):
        fit(model := built(REGULARISED), batches(model), config, validate=lambda: 50.0)


def test_too_few_views_are_refused() -> None:
    model = built(REGULARISED)
    with pytest.raises(ValueError, match="1 views of each image came; this method needs 2"):
        fit(model, TrainBatches(DATA.train, 16, 4, 1), QUICK)


class TestGuard:
    def test_a_loss_that_is_not_finite_stops_training(self) -> None:
        model = built("bmip")
        with torch.no_grad():
            model.trainable()["prompter.image.0"][0, 0] = float("nan")
        with pytest.raises(TrainingError, match=r"epoch 1, step 1 of 6: the loss is not finite \(cross_entropy is nan"):
            fit(model, batches(model), QUICK)

    def test_a_gradient_that_is_not_finite_is_named(self) -> None:
        model = built("ivlp")
        before = tensors(model)
        model.trainable()["prompter.text.1"].register_hook(lambda grad: grad * float("inf"))
        with pytest.raises(TrainingError, match=r"step 1 of 6: the gradient of prompter.text.1 is not finite: lower"):
            fit(model, batches(model), QUICK)
        assert same(tensors(model), before)

    def test_a_learned_tensor_that_is_not_finite_is_named(self) -> None:
        """The last step of an epoch is followed by no loss that would tell."""
        model = built("deep_language", depth=1)
        config = TrainConfig(epochs=1, lr=3e38, weight_decay=1e3)
        with pytest.raises(
            TrainingError, match=r"after epoch 1: the trainable parameter prompter.text.0 is not finite"
        ):
            fit(model, _Batch(model), config)

    def test_a_validation_accuracy_must_be_a_number(self) -> None:
        model = built("ivlp")
        with pytest.raises(TrainingError, match="after epoch 1: the validation accuracy is nan"):
            fit(model, batches(model), QUICK, validate=lambda: float("nan"))


class _Batch:
    """One batch in an epoch."""

    def __init__(self, model: PromptedCLIP) -> None:
        self.batches = batches(model)

    def __len__(self) -> int:
        return 1

    def epoch(self, number: int) -> Iterator[tuple[list[Tensor], Tensor]]:
        yield next(self.batches.epoch(number))
