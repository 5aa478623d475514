"""Checks of what an image's logits depend on: what the prompter does not declare, they must not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.prompting.model import PromptedCLIP
from bmip.testing.case import CLASSES, Case, gradients, images, loss, require, require_refusal, require_same

_SEEN = 1e-6
"""A difference that is more than rounding."""


def the_classifier_equals_the_forward_pass(case: Case) -> None:
    """What `classifier` computes once for all images gives the same logits as computing everything anew."""
    require_same(
        case.model().classifier(CLASSES)(images()),
        case.model()(images(), CLASSES),
        "`classifier` and `forward` give different logits: declare `reads_images` if prompts differ per image",
    )


def an_image_does_not_depend_on_its_batch(case: Case) -> None:
    """An image alone and in a batch has the same logits, unless the prompter declares `reads_batch`."""
    model = case.model()
    classify = model.classifier(CLASSES)
    alone = torch.cat([classify(image[None]) for image in images()])
    _require_same_unless(
        model.prompter.reads_batch or model.prompter.changes_itself,
        alone,
        classify(images()),
        "the prompter declares `reads_batch`, and a batch changes no logit: take the declaration out",
        "an image's logits depend on the other images of its batch: do not mix images, or declare `reads_batch`",
    )


def permuted_classes_permute_the_logits(case: Case) -> None:
    """The order of the classes does not matter; a method that is trained for its classes refuses another order."""
    model = case.model()
    order = [3, 0, 5, 1, 4, 2]
    permuted = ClassNames(tuple(CLASSES.names[number] for number in order), CLASSES.template)
    if model.trained_on is not None:
        _require_that_classes_are_refused(model, permuted, f"trained on {len(CLASSES)} classes")
        return
    require_same(
        model(images(), permuted),
        case.model()(images(), CLASSES)[:, order],
        "the order of the classes changes their logits: treat all classes alike, or declare `trained_on`",
    )


def a_class_does_not_depend_on_the_others(case: Case) -> None:
    """A class has the same logits among fewer classes, unless the prompter declares `reads_classes`."""
    model = case.model()
    fewer = ClassNames(CLASSES.names[:2], CLASSES.template)
    if model.trained_on is not None:
        _require_that_classes_are_refused(model, fewer, "was asked about 2")
        return
    _require_same_unless(
        model.reads_classes,
        model(images(), fewer),
        case.model()(images(), CLASSES)[:, :2],
        "the method declares that it reads the classes, and other classes change no logit: take the declaration out",
        "a class's logits depend on the other classes: do not mix over classes, or declare `reads_classes`",
    )


def class_features_do_not_depend_on_images(case: Case) -> None:
    """Class features are computed without images, unless the prompter declares `reads_images`."""
    model = case.model()
    if model.prompter.reads_images:
        require_refusal(
            lambda: model.class_features(CLASSES),
            "differ between images",
            "the prompter declares `reads_images`, so class features without images must be refused",
        )
        return
    found, needed = tuple(model.class_features(CLASSES).shape), (1, len(CLASSES), model.clip.config.out)
    require(
        found == needed,
        f"the class features are {found} and must be {needed}: give prompts with an image axis of 1, or declare "
        "`reads_images`",
    )


def products_of_features_are_the_logits(case: Case) -> None:
    """Image features times class features are the logits, unless the model says what else the logits need."""
    model = case.model()
    if model.prompter.reads_images or model.prompter.changes_itself:
        return
    products = model.clip.scale * model.image_features(images()) @ model.class_features(CLASSES)[0].T
    _require_same_unless(
        bool(model.logits_need),
        products,
        model.classifier(CLASSES)(images()),
        f"the logits are said to need {model.logits_need}, and are the products of the features",
        "the logits are not the products of image features and class features",
    )


def chunks_of_classes_change_nothing(case: Case) -> None:
    """Loss and gradients are the same where the text tower takes few classes at a time."""
    whole, whole_gradients = _in_chunks(case, 4096, torch.float64)
    parts, parts_gradients = _in_chunks(case, 20, torch.float64)
    require_same(parts, whole, "the loss differs where classes are taken in chunks: declare `reads_classes`")
    for name, gradient in whole_gradients.items():
        require_same(parts_gradients[name], gradient, f"the gradient of {name} differs where classes are in chunks")


def chunks_of_classes_change_little_in_bfloat16(case: Case) -> None:
    """The same under bfloat16 autocast, up to its rounding."""
    whole, whole_gradients = _in_chunks(case, 4096, torch.float32, autocast=True)
    parts, parts_gradients = _in_chunks(case, 20, torch.float32, autocast=True)
    # bfloat16 keeps 8 bits: sums of products in another order differ in the last of them.
    require(bool(abs(parts - whole) <= 0.02 * whole.abs() + 0.02), f"the loss is {whole:.4g}, in chunks {parts:.4g}")
    largest = max((gradient.norm() for gradient in whole_gradients.values()), default=0.0)
    for name, gradient in whole_gradients.items():
        require(
            bool((parts_gradients[name] - gradient).norm() <= 0.05 * gradient.norm() + 1e-3 * largest),
            f"the gradient of {name} differs by more than rounding where classes are taken in chunks",
        )


def _in_chunks(
    case: Case, tokens: int, dtype: torch.dtype, *, autocast: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss and gradients with so many tokens of classes at a time."""
    model = case.model(dtype)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # its draws come in the order of the chunks
    model.clip.text.chunk_tokens = tokens
    try:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            value = loss(model, dtype)
        return value.detach(), gradients(model, value)
    finally:
        del model.clip.text.chunk_tokens


def _require_same_unless(declared: bool, found: Tensor, gold: Tensor, needless: str, undeclared: str) -> None:
    """Equal logits; where the prompter declares that they differ, they must differ."""
    if declared:
        require(bool((found - gold).abs().max() > _SEEN), needless)
    else:
        require_same(found, gold, undeclared)


def _require_that_classes_are_refused(model: PromptedCLIP, classes: ClassNames, words: str) -> None:
    require_refusal(
        lambda: model(images(), classes),
        words,
        "the prompter declares `trained_on`, so other classes must be refused",
    )
