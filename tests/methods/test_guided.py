"""KgCoOp, ProGrad, CoCoOp and the losses of combinations against plain definitions (one whole sentence at a time)."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.class_names import ClassNames, words
from bmip.cli import main
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.prompting.templates import IMAGENET_80, PROMPTSRC_60
from bmip.testing.case import new_vit
from tests.clip import plain

CLASSES = ClassNames(("cat", "golden_retriever", "black-eyed susan", "2012 audi"), "a sketch of the {}.")
LABELS = torch.tensor([2, 0, 3])
clip_of = cache(new_vit)


def build(name: str, **options: object) -> PromptedCLIP:
    return build_model(name, options, clip_of(), CLASSES, seed=7).double()


def pixels(seed: int = 1) -> Tensor:
    return torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sentence(text: str) -> Tensor:
    clip = clip_of()
    ids = [49406, *clip.tokenizer.encode(text), 49407]
    return plain.text_feature(clip, ids, [-1] * len(ids), [])


def sentences(template: str) -> Tensor:
    return torch.stack([sentence(template.format(words(name))) for name in CLASSES.names])


def frozen_images(images: Tensor) -> Tensor:
    return F.normalize(torch.stack([plain.image_feature(clip_of(), image, []) for image in images]), dim=-1)


def with_context(context: Tensor, text: str, slots: int) -> Tensor:
    """Class features of sentences whose first words are learned."""
    clip, found = clip_of(), []
    for name in CLASSES.names:
        ids = [49406, *clip.tokenizer.encode(text.format(words(name))), 49407]
        marks = [-1, *range(slots), *[-1] * (len(ids) - slots - 1)]
        found.append(plain.text_feature(clip, ids, marks, [context]))
    return torch.stack(found)


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True)


def test_kgcoop_is_its_definition() -> None:
    model = build("kgcoop", guidance=3.0)
    context = model.prompter.context
    text = unit(with_context(context, "a photo of a {}.", 4))
    logits = clip_of().scale * frozen_images(pixels()) @ text.T
    far = 1 - (text * unit(sentences(CLASSES.template))).sum(-1).mean()
    gold = -logits.log_softmax(-1)[range(3), LABELS].mean() + 3.0 * far
    found = model.losses([pixels()], LABELS).parts
    torch.testing.assert_close(sum(found.values()), gold, atol=1e-10, rtol=0)
    model.backward(found)
    torch.testing.assert_close(context.grad, torch.autograd.grad(gold, context)[0], atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.parametrize("correction", [1.0, 0.4])
def test_prograd_leaves_out_what_zero_shot_objects_to(agrees: bool, correction: float) -> None:
    model = build("prograd", slots=5, correction=correction, temperature=2.0)
    context = model.prompter.context
    assert not context[0].any(), "the slot in front of the four words starts at zero"
    images = frozen_images(pixels())
    teacher = (clip_of().scale * images @ unit(sentences(CLASSES.template)).T / 2.0).softmax(-1)
    logits = clip_of().scale * images @ unit(with_context(context, "X X X X X {}.", 5)).T
    divergence = 4.0 * (teacher * (teacher.log() - (logits / 2.0).log_softmax(-1))).sum(-1).mean()
    (guide,) = torch.autograd.grad(divergence, context, retain_graph=True)
    for labels in map(torch.tensor, product(range(4), repeat=3)):
        loss = -logits.log_softmax(-1)[range(3), labels].mean()
        (along,) = torch.autograd.grad(loss, context, retain_graph=True)
        agreement = (along * guide).sum()
        if (agreement > 0) == agrees:
            break
    assert (agreement > 0) == agrees
    gold = along if agrees else along - correction * agreement / guide.square().sum() * guide
    parts = model.losses([pixels()], labels).parts
    torch.testing.assert_close(parts["zero_shot_divergence"], divergence, atol=1e-9, rtol=0)
    model.backward(parts, 8.0)
    torch.testing.assert_close(context.grad, 8.0 * gold, atol=1e-8, rtol=1e-7)


def test_prograd_edits_the_same_with_chunks_of_classes() -> None:
    grads = []
    for tokens in (4096, 7):
        model = build("prograd", slots=5)
        model.clip.text.chunk_tokens = tokens
        try:
            model.backward(model.losses([pixels()], LABELS).parts)
        finally:
            del model.clip.text.chunk_tokens
        grads.append(model.prompter.context.grad)
    torch.testing.assert_close(grads[1], grads[0], atol=1e-10, rtol=0)


def test_cocoop_s_images_have_nothing_to_do_with_each_other() -> None:
    model = build("cocoop", bottleneck=2)
    learned = list(model.trainable().values())
    together = model.losses([pixels()], LABELS).parts["cross_entropy"]
    alone = [model.losses([pixels()[i : i + 1]], LABELS[i : i + 1]).parts["cross_entropy"] for i in range(3)]
    for i, grad in enumerate(torch.autograd.grad(together, learned)):
        each = [torch.autograd.grad(loss, learned[i], retain_graph=True)[0] for loss in alone]
        torch.testing.assert_close(grad, torch.stack(each).mean(0), atol=1e-10, rtol=0)


def test_cocoop_is_its_definition() -> None:
    model = build("cocoop", bottleneck=2)
    net, found = model.prompter.shift, []
    for feature in frozen_images(pixels()):
        inner = (feature @ net[0].weight.T + net[0].bias).clamp(min=0)
        context = model.prompter.context + (inner @ net[2].weight.T + net[2].bias)
        found.append(clip_of().scale * feature @ unit(with_context(context, "a photo of a {}.", 4)).T)
    torch.testing.assert_close(model(pixels(), CLASSES), torch.stack(found), atol=1e-10, rtol=0)


def test_cocoop_classifies_few_images_at_once() -> None:
    model = build("cocoop")
    whole = model.classifier(CLASSES)(pixels())
    seen = []
    model.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    model.pairs_at_once = 2 * len(CLASSES)
    torch.testing.assert_close(model.classifier(CLASSES)(pixels()), whole, atol=1e-12, rtol=0)
    assert seen == [2, 1]


@pytest.mark.parametrize(
    ("name", "teacher"), [("bmip+promptsrc", "80"), ("cocoop+promptsrc", "60"), ("vpt+promptsrc", "own")]
)
def test_promptsrc_s_losses_hold_any_prompts(name: str, teacher: str) -> None:
    depth = {"bmip+promptsrc": {"depth": 3}, "vpt+promptsrc": {"depth": 3}}.get(name, {})
    model = build(name, teacher=teacher, **depth)
    templates = {"80": IMAGENET_80, "60": PROMPTSRC_60, "own": (CLASSES.template,)}[teacher]
    target = unit(torch.stack([sentences(template) for template in templates]).mean(0))
    images = frozen_images(pixels())
    own = model.image_features(pixels())
    logits = model(pixels(), CLASSES)
    if name.startswith("cocoop"):
        net = model.prompter.shift
        contexts = model.prompter.context + net(images)[:, None]
        text = torch.stack([unit(with_context(context, "a photo of a {}.", 4)) for context in contexts])
    else:
        text = model.class_features(CLASSES)
    gold_teacher = (clip_of().scale * images @ target.T).log_softmax(-1)
    student = logits.log_softmax(-1)
    parts = model.losses([pixels()], LABELS).parts
    expected = {
        "cross_entropy": -student[range(3), LABELS].mean(),
        "text_distance": 25 * (text - target).abs().mean(),
        "image_distance": 10 * (own - images).abs().mean(),
        "logit_divergence": (gold_teacher.exp() * (gold_teacher - student)).sum() / student.numel(),
    }
    assert parts.keys() == expected.keys()
    for part, gold in expected.items():
        torch.testing.assert_close(parts[part], gold, atol=1e-9, rtol=0, msg=part)


@pytest.mark.parametrize("name", ["coprompt", "bmip+coprompt", "coop+coprompt"])
def test_coprompt_s_consistency_reads_the_given_sentences(name: str, tmp_path: Path) -> None:
    known = {
        words(label).upper(): [f"a {words(label)} is {k} things" for k in range(1 + i)]
        for i, label in enumerate(CLASSES.names)
    }
    file = tmp_path / "sentences.json"
    file.write_text(json.dumps(known))
    depth = {} if name.startswith("coop") else {"depth": 3}
    model = build(name, sentences=str(file), consistency=2.0, **depth)
    torch.manual_seed(5)
    parts = model.losses([pixels(1), pixels(2)], LABELS).parts
    torch.manual_seed(5)
    drawn = int(torch.randint(len(CLASSES), ()))
    target = unit(torch.stack([sentence(own[drawn % len(own)]) for own in known.values()]))
    text = model.class_features(CLASSES)[0]
    far = 1 - (text * target).sum(-1).mean()
    torch.testing.assert_close(parts["text_consistency"], 2 * far, atol=1e-9, rtol=0)
    far = 1 - (model.image_features(pixels(1)) * frozen_images(pixels(2))).sum(-1).mean()
    torch.testing.assert_close(parts["image_consistency"], 2 * far, atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there are no sentences in"),
        ("{", "is no JSON"),
        ('{"cat": "a cat"}', "must hold class names and lists of sentences"),
        (
            '{"cat": ["a cat"]}',
            r"missing for 3 of 4 classes: golden_retriever, black-eyed susan, 2012 audi",
        ),
    ],
)
def test_sentences_that_do_not_fit(content: str | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "sentences.json"
    if content is not None:
        file.write_text(content)
    model = build("coprompt", depth=2, sentences=str(file))
    with pytest.raises(ValueError, match=message):
        model.losses([pixels(1), pixels(2)], LABELS)


def test_without_sentences_coprompt_s_teacher_reads_neutral_ones() -> None:
    model = build("coprompt", depth=2)
    (term,) = model.terms
    torch.manual_seed(0)
    seen = {tuple(term.sentence_features(model.teacher)[0].tolist()) for _ in range(200)}
    gold = {tuple(unit(sentence(f"{text} cat.")).tolist()) for text in ("a photo of a", "a picture of a")}
    near = [min((torch.tensor(a) - torch.tensor(b)).abs().max() for b in seen) for a in gold]
    assert len(seen) == 10 and max(near) < 1e-9


def test_what_no_prompt_touches_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("vpt", depth=2)
    calls = []
    encode = model.clip.encode_text
    monkeypatch.setattr(model.clip, "encode_text", lambda *given: calls.append(1) or encode(*given))
    for _ in range(3):
        model.losses([pixels()], LABELS)
    model.classifier(CLASSES)
    assert len(calls) == 1

    coop = build("kgcoop+promptsrc")
    images = []
    encode_image = coop.clip.encode_image
    monkeypatch.setattr(coop.clip, "encode_image", lambda *given: images.append(1) or encode_image(*given))
    coop.losses([pixels()], LABELS)
    assert len(images) == 1, "the student's image features are the teacher's"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bmip+ivlp", {}, "ivlp adds nothing to other prompts"),
        ("kgcoop+kgcoop", {}, "has the option 'guidance' twice"),
        ("bmip+promtsrc", {}, "did you mean 'promptsrc'"),
        (
            "coop",
            {"slots": 3, "position": "middle"},
            "with the name in the middle every token before it must be a slot",
        ),
        ("coop", {"slots": 40}, "text tower holds 40"),
        ("coop", {"slots": 0}, "needs at least one"),
        ("maple", {"slots": 0}, "0 slots in the text tower"),
        ("coprompt", {"slots": -1}, "-1 slots in the text tower"),
        ("vpt", {"depth": 4}, "it has 3 layers"),
        ("cocoop", {"bottleneck": 0}, "bottleneck is 0: choose 1 or more"),
        ("tcp", {"bottleneck": 0, "top": 1}, "bottleneck is 0: choose 1 or more"),
        ("mma", {"adapter_width": 0, "adapter_top": 1}, "adapter_width is 0: choose 1 or more"),
        ("mmrl", {"width": 0, "top": 1}, "width is 0: choose 1 or more"),
        ("mmrl", {"top": 3}, "top 3 does not fit the shallower tower: choose 1 to 2"),
        ("mmrl", {"top": 1, "read_out_share": 3.0}, "read_out_share is 3.0: choose a share from 0 to 1"),
        ("mmrlpp", {"top": 1, "rank": 0}, "rank is 0: choose 1 or more"),
        ("mmrlpp", {"top": 1, "read_out_rank": 0}, "read_out_rank is 0: choose 1 or more"),
        ("hicropl", {"depth": 1}, "depth 1 leaves no layer for one of the ways: choose at least 2"),
        ("hicropl", {"depth": 3, "top": 1, "heads": 0}, "0 heads do not divide the width"),
        ("linear_probe", {"passes": -1}, "-1 passes: choose 0"),
        ("linear_probe", {"penalty": -1.0}, "penalty is -1.0: choose 0 or more"),
        ("lp_plus_plus", {"passes": -1}, "-1 passes: choose 0"),
        ("lp_plus_plus", {"steps": 0}, "steps is 0: choose 1 or more"),
        ("tip_adapter", {"passes": -1}, "-1 passes: choose 0"),
        ("proda", {"prompts": 6}, "multiple of 4"),
        ("upt", {"depth": 2, "heads": 5}, "5 heads do not divide the joint width 56"),
        ("upt", {"depth": 2, "heads": 0}, "0 heads do not divide the joint width 56"),
        ("bmip", {"depth": 2, "image_depth": 3, "gate": "concatenation"}, "both towers equally deep"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(name: str, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(name, **options)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("coop+mmrl", r"mmrl reads the slots of the image tower, and coop has no prompts there: .* vpt, maple or bmip"),
        ("clip-lora+mmrlpp", "mmrlpp reads the slots of the image tower, and clip-lora has no prompts there"),
        ("coop+promptsrc+mmrl", r"and coop\+promptsrc has no prompts there"),
        ("clip-adapter+coprompt", "both methods bring an adapter, and only one can be used"),
        ("vpt+mma+clip-lora", "both methods bring changes of CLIP, and only one can be used"),
        (
            "linear-probe+kgcoop",
            r"linear-probe\+kgcoop cannot work: a head works on the features of the frozen CLIP",
        ),
        ("bmip+tip-adapter", r"bmip\+tip-adapter cannot work: a head works on the features of the frozen CLIP alone"),
        ("bmip+deep-language", "deep-language adds nothing to other prompts, neither a loss nor changes of CLIP"),
        *(
            (f"zero-shot+{name}", rf"zero-shot\+{name} cannot work: zero-shot trains nothing, and {name} adds nothing")
            for name in ("kgcoop", "prograd", "tcp", "promptsrc", "hicropl")
        ),
        *(
            (
                f"{first}+{name}",
                f"the loss of {name} depends on the class features alone, and nothing here trains these",
            )
            for first in ("vpt", "clip-adapter", "vpt+promptsrc")
            for name in ("kgcoop", "tcp")
        ),
    ],
)
def test_a_combination_that_cannot_work_is_refused_when_it_is_named(
    name: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["methods", name]) == 2
    assert re.search(message, capfd.readouterr().err)


@pytest.mark.parametrize(
    "name",
    [
        "zero-shot+clip-lora",
        "zero-shot+mma",
        "zero-shot+clip-adapter",
        "zero-shot+coprompt",
        "vpt+prograd",
        "vpt+clip-lora+kgcoop",
    ],
)
def test_a_combination_in_which_something_is_trained_has_a_loss_that_trains_it(name: str) -> None:
    model = build(name, **{"adapter_top": 2} if "mma" in name else {"depth": 2} if "vpt" in name else {})
    found = model.losses([pixels(), pixels(2)], LABELS).parts
    model.backward(found)
    assert any(tensor.grad is not None and tensor.grad.any() for tensor in model.trainable().values())
