import dataclasses
from pathlib import Path

import pytest
import torch

from bmip.class_names import ClassNames
from bmip.data.batches import EvalBatches
from bmip.data.transforms import centre_square, normalise
from bmip.evaluation.evaluate import Predictions, _answers, accuracy_on, evaluate, evaluate_logits
from bmip.evaluation.logits import batch_logits
from bmip.evaluation.prediction_files import read_predictions, write_predictions
from bmip.methods import build_model
from bmip.metrics import Count
from bmip.prompting.model import PromptedCLIP
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.run_folder import RunFolder
from tests.training.tiny import OPTIONS

DATA = tiny_dataset()


def model(method: str = "bmip") -> PromptedCLIP:
    return build_model(method, OPTIONS[method], tiny_clip(), DATA.classes, seed=1)


@pytest.mark.parametrize("method", OPTIONS)
def test_predictions_equal_a_plain_forward_pass(method: str) -> None:
    evaluated = model(method)
    config = evaluated.clip.config
    pixels = torch.stack([centre_square(DATA.test.images[i], 16) for i in range(len(DATA.test))])
    with torch.no_grad():
        shares = evaluated(normalise(pixels, config.mean, config.std), DATA.classes).softmax(-1)
    for batch in (100, 7, 1):
        found = evaluate(evaluated, DATA.test, DATA.classes, batch)
        assert torch.equal(found.predicted, shares.argmax(-1))
        torch.testing.assert_close(found.probability, shares.max(-1).values, atol=1e-5, rtol=0)
        assert found.labels.tolist() == list(DATA.test.labels)
        assert found.images == tuple(f"colours/test/{i}" for i in range(20))
        assert found.accuracy == 100 * found.correct / 20 == accuracy_on(evaluated, DATA.test, DATA.classes, batch)()


def test_counts_per_class() -> None:
    labels, predicted = torch.tensor([0, 0, 2, 2, 2]), torch.tensor([0, 1, 2, 2, 0])
    found = Predictions(ClassNames(("a", "b", "c")), ("",) * 5, labels, predicted, torch.ones(5), labels * 0)
    assert found.per_class() == (Count(1, 2), Count(0, 0), Count(2, 3))
    assert (found.correct, found.total, found.accuracy) == (3, 5, 60.0)


def test_class_features_are_computed_once() -> None:
    evaluated = model()
    calls: list[int] = []
    evaluated.clip.text.register_forward_hook(lambda *_: calls.append(1))
    done: list[tuple[int, int]] = []
    evaluate(evaluated, DATA.test, DATA.classes, 3, progress=lambda *given: done.append(given))
    assert len(calls) == 1
    assert done == [(batch, 7) for batch in range(1, 8)]


def test_any_classes_can_be_asked_about() -> None:
    others = ClassNames(("a red dog", "blue", "dog", "a", "X"))
    found = evaluate(model(), DATA.test, others)
    assert found.classes is others
    assert found.predicted.max() < 5


def test_the_mode_is_left_as_it_was_and_training_works_afterwards() -> None:
    evaluated = model()
    evaluated.train()
    evaluated.clip.eval()
    evaluate(evaluated, DATA.test, DATA.classes)
    assert evaluated.training and not evaluated.clip.training
    evaluated.losses([torch.zeros(2, 3, 16, 16)], torch.tensor([0, 1])).parts["cross_entropy"].backward()


def test_nothing_to_evaluate_and_damaged_models_are_errors() -> None:
    with pytest.raises(ValueError, match="the split has no images"):
        evaluate(model(), DATA.test.take([]), DATA.classes)
    with pytest.raises(ValueError, match="class 3, counted from 0, and the names of 3 classes were given"):
        evaluate(model(), DATA.test, ClassNames(("a", "b", "c")))
    broken = model()
    with torch.no_grad():
        broken.trainable()["prompter.image.0"].fill_(float("nan"))
    with pytest.raises(ValueError, match="logits are not finite"):
        evaluate(broken, DATA.test, DATA.classes)


def test_duplicated_names_are_told_apart_by_index() -> None:
    classes = dataclasses.replace(DATA.classes, names=("red", "red", "blue", "grey"), duplicates=True)
    found = evaluate(model(), DATA.test, classes)
    assert len(found.per_class()) == 4


def test_the_rank_says_how_many_classes_are_likelier() -> None:
    found = evaluate(model(), DATA.test, DATA.classes)
    labels, logits = evaluate_logits(model(), DATA.test, DATA.classes, batch=7)
    assert torch.equal(labels, found.labels)
    torch.testing.assert_close(logits.softmax(-1).max(-1).values, found.probability, atol=1e-5, rtol=0)
    for label, rank, row in zip(labels.tolist(), found.rank.tolist(), logits.tolist(), strict=True):
        assert rank == sum(value > row[label] for value in row)


def test_predictions_come_back_from_a_run_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", {})
    found = evaluate(model(), DATA.test, DATA.classes)
    folder.write_predictions(found)
    again = folder.read_predictions(DATA.classes)
    for name in ("labels", "predicted", "probability", "rank"):
        assert torch.equal(getattr(again, name), getattr(found, name))
    assert again.images == found.images


def test_predictions_come_back_whatever_the_names_are(tmp_path: Path) -> None:
    names = ("a\rb", "c\nd", 'e"f', "g,h")
    index = torch.arange(4)
    some = Predictions(ClassNames(names), tuple(f"{name}.png" for name in names), index, index, torch.ones(4), index)
    write_predictions(tmp_path / "p.csv", some)
    again = read_predictions(tmp_path / "p.csv")
    assert (again.classes.names, again.images) == (names, some.images)


def test_the_prediction_is_that_of_rank_zero_where_probabilities_are_rounded_to_the_same() -> None:
    predicted, probability, rank = _answers(torch.tensor([1, 0]), torch.tensor([[0.0, 1e-8], [0.0, 1e-8]]))
    assert (predicted.tolist(), rank.tolist()) == ([1, 1], [0, 1])
    assert probability.tolist() == [0.5, 0.5]


def test_predictions_are_read_without_knowing_the_classes(tmp_path: Path) -> None:
    classes = dataclasses.replace(DATA.classes, names=("red", "red", "blue", "grey"), duplicates=True)
    some = Predictions(
        classes, ("a", "b"), torch.tensor([0, 1]), torch.tensor([1, 3]), torch.tensor([0.5, 0.25]), torch.tensor([1, 2])
    )
    write_predictions(tmp_path / "p.csv", some)
    again = read_predictions(tmp_path / "p.csv")
    assert again.classes.names == ("red", "red", "class 2", "grey")
    assert again.predicted.tolist() == [1, 3] and again.probability.tolist() == [0.5, 0.25]
    (tmp_path / "p.csv").write_text((tmp_path / "p.csv").read_text() + "c,1")
    with pytest.raises(ValueError, match=r"p\.csv is damaged .*: delete it"):
        read_predictions(tmp_path / "p.csv")


@pytest.mark.parametrize("method", ["bmip", "cocoop"])
def test_several_class_lists_at_once_equal_one_at_a_time(method: str) -> None:
    evaluated = build_model(method, OPTIONS.get(method, {}), tiny_clip(), DATA.classes, seed=1)
    lists = [DATA.classes, ClassNames(("dog", "red dog")), dataclasses.replace(DATA.classes, template="a dog {}.")]
    batches = [(pixels, f"batch {number}") for number, (pixels, _) in enumerate(EvalBatches(DATA.test, 16, 8))]
    together = list(batch_logits(evaluated, batches, lists))
    assert [beside for beside, _ in together] == ["batch 0", "batch 1", "batch 2"]
    for position, classes in enumerate(lists):
        alone = [logits for _, (logits,) in batch_logits(evaluated, batches, [classes])]
        for (_, found), gold in zip(together, alone, strict=True):
            assert torch.equal(found[position], gold)


def test_image_features_are_computed_once_for_all_class_lists() -> None:
    evaluated = model()
    calls: list[int] = []
    evaluated.clip.image.register_forward_hook(lambda *_: calls.append(1))
    list(batch_logits(evaluated, EvalBatches(DATA.test, 16, 10), [DATA.classes, ClassNames(("dog", "red"))]))
    assert len(calls) == 2
