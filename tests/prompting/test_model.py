"""What a model remembers of class lists, and parts of a method that do not go together."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from bmip.class_names import ClassNames, words
from bmip.clip import text as text_tower
from bmip.clip.feature_memory import FeatureMemory
from bmip.clip.prompts import Prompts
from bmip.clip.text_layout import TextLayout
from bmip.clip.texts import _chunks
from bmip.methods import build_model
from bmip.prompting import Given, Method, Prompter, Step, Term
from bmip.prompting.model import PromptedCLIP
from bmip.testing import tiny_clip, tiny_dataset

CLASSES = tiny_dataset().classes
OPTIONS = {
    "bmip": {"depth": 3},
    "hicropl": {"slots": 2, "depth": 3, "top": 1, "heads": 2},
    "tcp": {"top": 1},
    "vpt": {"depth": 3},
    "coprompt": {"depth": 3},
    "promptsrc": {"text_depth": 3, "image_depth": 3},
}
PIXELS = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
LISTS = [ClassNames((name, "red", "grey")) for name in ("blue", "green", "yellow", "black")]


@pytest.mark.parametrize("method", ["hicropl", "tcp", "vpt", "bmip", "coprompt"])
def test_what_is_remembered_of_class_lists_can_be_dropped(method: str) -> None:
    model = build_model(method, OPTIONS.get(method, {}), tiny_clip(context=40), CLASSES, seed=1)
    before = [model(PIXELS, classes) for classes in LISTS]
    assert b"yellow" in pickle.dumps(model), "it remembers the lists"
    model.keep_only([])
    assert b"yellow" not in pickle.dumps(model), "nothing that belongs to the model does"
    assert all(torch.equal(model(PIXELS, own), logits) for own, logits in zip(LISTS, before, strict=True))


@pytest.mark.parametrize("method", ["vpt", "zero_shot", "tcp", "hicropl", "linear_probe"])
def test_a_model_that_moved_computes_anew(method: str) -> None:
    model = build_model(method, OPTIONS.get(method, {}), tiny_clip(context=40), CLASSES, seed=1)
    before = model(PIXELS, CLASSES)
    model.to(torch.float64)
    found = model(PIXELS.double(), CLASSES)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), before, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("method", ["promptsrc", "zero_shot", "vpt", "tcp", "hicropl"])
def test_a_model_whose_clip_computes_in_another_type_computes_anew(method: str) -> None:
    """A CLIP may be shared, so its type can change where the model does not see it."""
    clip = tiny_clip(context=40)
    model = build_model(method, OPTIONS.get(method, {}), clip, CLASSES, seed=1)
    model(PIXELS, CLASSES)
    losses = model.losses([PIXELS] * model.views, torch.tensor([0, 1, 2])).parts
    clip.set_precision("bfloat16")
    fresh = build_model(method, model.description.options, clip, CLASSES, seed=1)
    assert torch.equal(model(PIXELS, CLASSES), fresh(PIXELS, CLASSES))
    found = [one.losses([PIXELS] * one.views, torch.tensor([0, 1, 2])).parts for one in (model, fresh)]
    assert found[0].keys() == losses.keys() and all(torch.equal(found[0][name], found[1][name]) for name in losses)


def test_features_that_are_kept_for_evaluation_are_of_the_present_type() -> None:
    clip = tiny_clip()
    clip.memory = FeatureMemory()
    model = build_model("zero_shot", {}, clip, CLASSES, seed=1)
    before = model.image_features(PIXELS)
    clip.set_precision("bfloat16")
    kept, clip.memory = model.image_features(PIXELS), None
    assert torch.equal(kept, model.image_features(PIXELS)) and not torch.equal(kept, before)


@pytest.mark.parametrize("same", [("Red_dog", "green", "cat"), ("green", " red dog", "CAT")])
def test_a_rule_for_the_training_classes_knows_them_in_any_spelling(same: tuple[str, ...]) -> None:
    classes = ClassNames(("red dog", "green", "cat"))
    options = {"top": 1, "trained_classes_only": True}
    model = build_model("mmrl", options, tiny_clip(context=40), classes, seed=1)
    order = [[words(name).lower() for name in classes.names].index(words(name).lower()) for name in same]
    torch.testing.assert_close(model(PIXELS, ClassNames(same)), model(PIXELS, classes)[:, order])
    fewer = model(PIXELS, ClassNames(("red dog", "green")))
    assert not torch.allclose(fewer, model(PIXELS, classes)[:, :2]), "the rule leaves the read-out out"


def test_what_is_computed_again_on_the_way_back_draws_what_it_drew(monkeypatch: pytest.MonkeyPatch) -> None:
    """`checkpoint` keeps the random state of a GPU only where an argument is a tensor on it; dropout draws there."""
    given: list[tuple] = []
    real = text_tower.checkpoint

    def seen(run, *arguments, use_reentrant: bool):
        given.append(arguments)
        return real(run, *arguments, use_reentrant=use_reentrant)

    monkeypatch.setattr(text_tower, "checkpoint", seen)
    clip = tiny_clip(context=40)
    clip.text.chunk_tokens = 8
    model = build_model("clip_lora", {"lora_dropout": 0.25}, clip, CLASSES, seed=1).train()
    model.losses([PIXELS], torch.tensor([0, 1, 2]))
    assert len(given) > 1
    assert all(any(isinstance(one, Tensor) and one.device == clip.device for one in each) for each in given)


def test_the_tables_of_class_texts_are_made_once_for_a_device() -> None:
    clip = tiny_clip().to("meta")
    texts = clip.texts(CLASSES.names, TextLayout())
    assert texts.device == clip.device == texts.lead.ids.device
    clip.encode_text(texts)
    before = _chunks.cache_info()
    clip.encode_text(texts)
    after = _chunks.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


@pytest.mark.parametrize("method", ["bmip", "cocoop"])
def test_classifiers_can_be_stored(method: str) -> None:
    classify = build_model(method, OPTIONS.get(method, {}), tiny_clip(), CLASSES, seed=1).classifiers(LISTS)
    for one, other in zip(classify(PIXELS), pickle.loads(pickle.dumps(classify))(PIXELS), strict=True):
        assert torch.equal(one, other)


class Near(Term):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, step: Step) -> dict[str, Tensor]:
        return {self.name: step.logits.square().mean()}


@pytest.mark.parametrize(("first", "second"), [("near", "near"), ("cross_entropy", "near")])
def test_two_parts_of_a_loss_have_two_names(first: str, second: str) -> None:
    own = build_model("coop", {}, tiny_clip(context=40), CLASSES, seed=1)
    method = replace(own.method, terms=(Near(first), Near(second)))
    model = PromptedCLIP(own.clip, method, CLASSES)
    with pytest.raises(ValueError, match=f"two parts of the loss are called '{first}'"):
        model.losses([PIXELS], torch.tensor([0, 1, 2]))


class Several(Prompter):
    """A prompt for each image, in two sentences or mixed over the classes."""

    reads_images = True

    def __init__(self, width: int, *, sentences: int, reads_classes: bool) -> None:
        super().__init__()
        self.first, self.sentences, self.reads_classes = nn.Parameter(torch.zeros(2, width)), sentences, reads_classes

    def layout(self, classes: ClassNames) -> list[TextLayout]:
        return [TextLayout("a photo of {}.", 2), TextLayout("one of {}.", 2)][: self.sentences]

    def forward(self, given: Given) -> Prompts:
        images = 1 if given.image_features is None else len(given.image_features)
        return Prompts(text=[self.first.expand(images, 1, -1, -1)])


def test_prompts_that_read_images_stand_in_one_sentence() -> None:
    clip = tiny_clip()
    with pytest.raises(ValueError, match="this layout has several"):
        PromptedCLIP(clip, Method(prompter=Several(32, sentences=2, reads_classes=False)), CLASSES)


def test_classes_that_are_mixed_run_at_once_for_all_images() -> None:
    clip = tiny_clip()
    model = PromptedCLIP(clip, Method(prompter=Several(32, sentences=1, reads_classes=True)), CLASSES)
    clip.text.chunk_tokens = 24
    assert model(PIXELS[:1], CLASSES).shape == (1, 4)
    with pytest.raises(ValueError, match="its 4 classes must run at once"):
        model(PIXELS.repeat(4, 1, 1, 1), CLASSES)
