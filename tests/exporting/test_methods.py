"""What is exported gives the logits of the model, for every method that can be exported; the others are refused."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from bmip.class_names import ClassNames
from bmip.exporting import to_linear, to_onnx, to_torch
from bmip.exporting.class_files import check_equal, class_matrix
from bmip.exporting.image_side import ExportError, ImageSide, traced
from bmip.methods import combination_names, method_names
from bmip.prompting.model import PromptedCLIP
from bmip.system.method_name import method_name
from bmip.testing import Case, cases
from bmip.testing.case import CLASSES, images, resnet

OTHERS = ClassNames(("dog", "a big house", "cat"), "a sketch of a {}.")
REFUSED = {
    "cocoop-default": "anew for each image",
    "cocoop+promptsrc-default": "anew for each image",
    "hicropl-released": "changes its prompts with each use",
    "tip_adapter-default": "compares each image with the training images",
}
RELEASED = ("bmip", "hicropl", "mmrl", "mmrlpp")
"""Methods whose preset `released` computes features or logits by other rules."""

Features = Callable[[np.ndarray], np.ndarray]


def all_cases() -> list[Case]:
    names = (*method_names(), *combination_names())
    found = [case for name in names for case in cases(name) if case.label == "default"]
    assert len(found) == len(names)
    return found + [case for name in RELEASED for case in cases(name) if case.label == "released"]


CASES = all_cases()
EXPORTED = [case for case in CASES if str(case) not in REFUSED]


def is_plain(model: PromptedCLIP) -> bool:
    try:
        to_linear.check_plain(model)
    except ExportError:
        return False
    return True


def operations(program: torch.export.ExportedProgram) -> tuple[str, ...]:
    """What the program computes, without the numbers that it computes with."""
    return tuple(str(node.target) for node in program.graph.nodes if node.op == "call_function")


def exported(program: torch.export.ExportedProgram, folder: Path, targets: Iterable[ModuleType]) -> dict[str, Features]:
    """The image side as each format has it, read back from its file."""
    found = {}
    for target in targets:
        target.write_tower(program, folder / target.TOWER)
        found[target.TOWER] = target.features_of(folder / target.TOWER)
    return found


@pytest.fixture(scope="module")
def written() -> set[tuple[str, ...]]:
    """The operations of what was written as ONNX in this process."""
    return set()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Features]:
    """The export of zero-shot CLIP, whose image side every method shares that leaves the image tower alone."""
    program = traced(cases("zero_shot")[0].model(torch.float32))
    return exported(program, tmp_path_factory.mktemp("plain"), (to_onnx, to_torch))


def check_logits(model: PromptedCLIP, features: Mapping[str, Features], classes: ClassNames) -> None:
    """At batches of 1, 2 and 7 the logits of each format are those of the model."""
    found = class_matrix(model, classes)
    for batch in (1, 2, 7):
        pixels = images(batch, torch.float32, model.clip.config.image_size, seed=batch)
        gold = model.classifier(classes)(pixels).numpy()
        assert gold.std() > 0.01
        for compute in features.values():
            logits = compute(pixels.numpy()) @ found.matrix.numpy().T + found.bias.numpy()
            np.testing.assert_allclose(logits, gold, atol=1e-4, rtol=0)


@pytest.mark.parametrize("case", EXPORTED, ids=str)
def test_an_export_gives_our_logits(
    case: Case, request: pytest.FixtureRequest, written: set[tuple[str, ...]], tmp_path: Path
) -> None:
    """In torch's format for every method, and as ONNX for one of those with the same operations: it takes long."""
    model = case.model(torch.float32)
    if is_plain(model):
        features = request.getfixturevalue("plain")
    else:
        program = traced(model)
        new = operations(program) not in written
        written.add(operations(program))
        features = exported(program, tmp_path, (to_onnx, to_torch) if new else (to_torch,))
    check_logits(model, features, CLASSES)
    if model.trained_on is None:
        check_logits(model, features, OTHERS)


def test_low_rank_differences_cost_an_export_nothing() -> None:
    ones = (operations(traced(cases(name)[0].model(torch.float32))) for name in ("zero_shot", "clip_lora"))
    zero_shot, clip_lora = (Counter(each) for each in ones)
    for product in ("aten.linear.default", "aten.matmul.default", "aten.add.Tensor"):
        assert clip_lora[product] == zero_shot[product], product
    assert zero_shot["aten.linear.default"] > 0


def test_a_resnet_is_exported_too(tmp_path: Path) -> None:
    model = cases("coop")[0].on(resnet())
    check_logits(model, exported(traced(model), tmp_path, (to_onnx, to_torch)), CLASSES)


@pytest.mark.parametrize("case", [case for case in CASES if str(case) in REFUSED], ids=str)
def test_what_no_matrix_can_stand_for_is_refused(case: Case) -> None:
    model = case.model(torch.float32)
    for export in (traced, lambda model: class_matrix(model, CLASSES)):
        with pytest.raises(ExportError, match=REFUSED[str(case)]):
            export(model)


def test_the_methods_that_fit_a_plain_clip_are_those_that_the_refusal_names() -> None:
    fit = {case.spec.name for case in CASES if case.label == "default" and is_plain(case.model(torch.float32))}
    named = {method_name(name, method_names()) for name in to_linear.METHODS}
    assert named == fit
    for name, why in (("bmip", "prompts in the"), ("clip_lora", "inside the"), ("clip_adapter", "adapter behind the")):
        with pytest.raises(ExportError, match=f"{name} has .*{why} image tower.*coop, deep-language"):
            to_linear.check_plain(cases(name)[0].model(torch.float32))


def test_an_export_that_computes_something_else_is_noticed() -> None:
    """Also one whose features are nearly the same: CLIP's scale multiplies what they differ by."""
    model = cases("coop")[0].model(torch.float32)
    found = class_matrix(model, CLASSES)

    def features(pixels: np.ndarray) -> np.ndarray:
        return ImageSide(model)(torch.from_numpy(pixels)).numpy()

    check_equal(model, found, features)
    away = 1e-4 * (found.matrix[0] / found.matrix[0].norm()).numpy()
    wrong = {
        "other features": lambda pixels: np.full((len(pixels), model.clip.config.out), 2, np.float32),
        "features 1e-4 away": lambda pixels: features(pixels) + away,
        "no numbers": lambda pixels: features(pixels) * np.nan,
    }
    for what, compute in wrong.items():
        with pytest.raises(ExportError, match="logits differ from the model's by "):
            check_equal(model, found, compute)
            pytest.fail(what)
