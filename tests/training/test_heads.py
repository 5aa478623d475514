"""Heads: fitted to the training images, chosen on validation images, stored, and refused where classes are new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.methods import build_model, load_method
from bmip.methods.linear_probe import Probe
from bmip.methods.lp_plus_plus import LPPlusPlus
from bmip.methods.tip_adapter import Memory
from bmip.prompting import Support, head_accuracy
from bmip.run_spec import RunSpec, settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.checkpoint import from_pretrained
from bmip.training.run import train
from bmip.training.support import support_of

CASES = {
    "linear_probe": {},
    "lp_plus_plus": {},
    "tip_adapter": {"passes": 2},
    "tip_adapter trained": {"trained": True, "passes": 0},
}
every_head = pytest.mark.parametrize("case", CASES)


def spec_of(case: str) -> RunSpec:
    training = settings(epochs=3, batch=8, optimizer="adamw", lr=0.01) if case.endswith(" trained") else ()
    return RunSpec(method=case.split()[0], options=settings(CASES[case]), training=training, backbone="tiny")


@every_head
def test_a_run_is_fitted_stored_and_read(case: str, tmp_path: Path) -> None:
    clip, dataset = tiny_clip(), tiny_dataset()
    run = train(spec_of(case), clip, dataset, tmp_path / "run")
    again = train(spec_of(case), clip, dataset, tmp_path / "run")
    loaded = from_pretrained(tmp_path / "run", clip=clip)
    pixels = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    found = run.model(pixels, dataset.classes)
    for other in (again.model, loaded):
        assert torch.equal(other(pixels, dataset.classes), found)
    assert (run.predictions.predicted == again.predictions.predicted).all()
    assert len(run.history.epochs) == (3 if case.endswith(" trained") else 0)


class Drawn(Probe):
    def fit(self, support: Support, validation: Support | None) -> None:
        self._set(torch.randn_like(self.weights), self.bias.detach())


def test_what_a_head_draws_follows_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmip.methods.linear_probe.Probe", Drawn)
    found = []
    for seed, init_seed in ((1, 1), (2, 1), (2, 2)):
        torch.manual_seed(seed)
        run = train(replace(spec_of("linear_probe"), init_seed=init_seed), tiny_clip(), tiny_dataset())
        found.append(run.model.learned()["head.weights"])
        assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(seed)))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[1], found[2])


def test_of_penalties_with_equal_accuracy_the_surest_is_chosen() -> None:
    """The strongest of them would make all classes equally likely."""
    features = torch.eye(4).repeat_interleave(3, 0)
    support = Support(features, torch.arange(4).repeat_interleave(3), torch.eye(4), torch.tensor(100.0))
    head = Probe(ClassNames(("a", "b", "c", "d")), load_method("linear_probe").Config(), 4)
    head.fit(support, support)
    assert head_accuracy(head, support) == 1
    sure = head(features, support.cosines(), support.scale).softmax(-1).amax(-1)
    assert sure.min() > 0.9


@every_head
def test_new_classes_are_refused_by_name(case: str) -> None:
    run = train(spec_of(case), tiny_clip(), tiny_dataset())
    with pytest.raises(ValueError, match="knows no others; it was trained on 4 classes"):
        run.model.classifier(ClassNames(("red", "purple")))


@every_head
def test_test_images_choose_nothing(case: str) -> None:
    """Where the validation images are the test images, all is as if there were none."""
    clip = tiny_clip()
    same, none = (train(spec_of(case), clip, tiny_dataset(**how)) for how in ({"val_is_test": True}, {"val": False}))
    for name, tensor in same.model.learned().items():
        assert torch.equal(tensor, none.model.learned()[name]), name


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"val_is_test": True}, "would choose by the images that are evaluated"),
        ({"val": False}, "no validation images"),
    ],
)
def test_tip_adapter_f_chooses_no_epoch_without_validation_images(how: dict, message: str) -> None:
    preset = load_method("tip_adapter").presets["trained"]
    spec = RunSpec(method="tip_adapter", options=settings(preset.options), training=settings(preset.training))
    with pytest.raises(ValueError, match=f"{message}.*use selection 'last'"):
        train(spec, tiny_clip(), tiny_dataset(**how))
    last = settings({**preset.training, "selection": "last", "epochs": 2})
    assert train(replace(spec, training=last), tiny_clip(), tiny_dataset(**how)).history.kept == 2


def test_support_is_what_the_frozen_tower_says() -> None:
    clip, dataset = tiny_clip(), tiny_dataset()
    model = build_model("linear_probe", {}, clip, dataset.classes, seed=0)
    centre, augmented = (support_of(model, dataset.train, passes, 1, dataset.augmentation) for passes in (0, 3))
    assert centre.images.shape == augmented.images.shape == (24, 16)
    torch.testing.assert_close(centre.images.norm(dim=-1), torch.ones(24))
    assert not torch.allclose(centre.images, augmented.images, atol=1e-3)
    other = support_of(model, dataset.train, 3, 2, dataset.augmentation)
    assert torch.equal(support_of(model, dataset.train, 3, 1, dataset.augmentation).images, augmented.images)
    assert not torch.equal(other.images, augmented.images)


def data(images: int = 60, classes: int = 3, width: int = 8, seed: int = 1) -> Support:
    """Images that scatter around the feature of their class."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(9))
    labels = torch.arange(images) % classes
    scattered = centres[labels] + 1.2 * torch.randn(images, width, generator=generator)
    names = F.normalize(centres + 0.5 * torch.randn(classes, width, generator=generator), dim=-1)
    return Support(F.normalize(scattered, dim=-1), labels, names, torch.tensor(20.0))


def heads(name: str, **options: object) -> Probe | LPPlusPlus | Memory:
    classes = ClassNames(("cat", "dog", "owl"))
    head = build_model(name, options, tiny_clip(out=8), classes, seed=0).head
    assert isinstance(head, (Probe, LPPlusPlus, Memory))
    return head


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_the_probe_is_scikit_learns_regression(penalty: float) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    given, head = data(), heads("linear_probe", penalty=penalty)
    head.fit(given, None)
    gold = linear.LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
    gold.fit(given.images.numpy(), given.labels.numpy())
    found = head(given.images, given.cosines(), given.scale).softmax(-1)
    torch.testing.assert_close(found, torch.tensor(gold.predict_proba(given.images.numpy())).float(), atol=1e-4, rtol=0)


def test_the_probe_takes_the_penalty_that_is_best_on_validation() -> None:
    given, validation = data(12), data(60, seed=2)
    scores = {}
    for power in range(-6, 7):
        head = heads("linear_probe", penalty=10.0**power, chosen=False)
        head.fit(given, validation)
        scores[power] = head_accuracy(head, validation)
    head = heads("linear_probe")
    head.fit(given, validation)
    assert head_accuracy(head, validation) == max(scores.values()) > min(scores.values())


def test_lp_plus_plus_keeps_the_last_of_its_best_steps() -> None:
    given, validation = data(12), data(60, seed=2)
    reached: list[tuple[float, Tensor]] = []
    for steps in range(1, 31):
        head = heads("lp_plus_plus", steps=steps)
        head.fit(given, None)
        reached.append((head_accuracy(head, validation), head(given.images, given.cosines(), given.scale)))
    head = heads("lp_plus_plus", steps=30)
    head.fit(given, validation)
    best = max(score for score, _ in reached)
    gold = [logits for score, logits in reached if score == best][-1]
    torch.testing.assert_close(head(given.images, given.cosines(), given.scale), gold)


def test_tip_adapter_chooses_weight_and_sharpness_on_validation() -> None:
    given, validation = data(12), data(60, seed=2)
    head = heads("tip_adapter")
    assert isinstance(head, Memory)
    head.fit(given, None)
    before = head_accuracy(head, validation)
    head.choose(validation)
    assert head_accuracy(head, validation) >= before
    chosen = float(head.weight), float(head.sharpness)
    fixed = heads("tip_adapter", chosen=False)
    fixed.fit(given, None)
    fixed.choose(validation)
    assert isinstance(fixed, Memory) and (float(fixed.weight), float(fixed.sharpness)) != chosen
    assert float(fixed.weight) == pytest.approx(1.17) and float(fixed.sharpness) == 1.0


def test_tip_adapter_searches_the_released_grid() -> None:
    """utils.search_hp with search_scale [7, 3] and search_step [200, 20]: beta is the sharpness, alpha the weight."""
    given, validation = data(12), data(40, seed=3)
    head = heads("tip_adapter")
    assert isinstance(head, Memory)
    head.fit(given, None)
    head.choose(validation)
    affinity, values = validation.images @ given.images.T, torch.eye(len(given.classes))[given.labels]
    best, gold = -1.0, (0.0, 0.0)
    for beta in [i * (7 - 0.1) / 200 + 0.1 for i in range(200)]:
        for alpha in [i * (3 - 0.1) / 20 + 0.1 for i in range(20)]:
            logits = validation.scale * validation.cosines() + alpha * torch.exp(beta * affinity - beta) @ values
            share = (logits.argmax(-1) == validation.labels).float().mean().item()
            if share > best:
                best, gold = share, (beta, alpha)
    assert (float(head.sharpness), float(head.weight)) == pytest.approx(gold, abs=1e-5)


def test_nothing_can_be_added_to_a_head() -> None:
    with pytest.raises(ValueError, match="a head works on the features of the frozen CLIP alone"):
        build_model("linear_probe+clip_adapter", {}, tiny_clip(), tiny_dataset().classes, seed=0)
