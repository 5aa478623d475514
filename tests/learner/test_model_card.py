"""What a model card says of prompts that are not like most others; the card of others is tested with the hub."""

import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import bmip
from bmip import ClassNames, PromptLearner, build_model
from bmip.learner import learner as learners
from bmip.learner.model_card import model_card
from bmip.testing import tiny_clip
from tests.learner.conftest import labelled_paths, small


def test_imported_prompts_claim_no_training() -> None:
    model = build_model("coop", {}, tiny_clip(), ClassNames(("red", "green")), seed=0)
    plain = replace(model.described(), training={"lr": 0.002})
    imported = replace(plain, imported="model.pth.tar-5, SHA-256 abc")
    cards = [model_card("someone/pets", one, summary="CoOp.", trainable=1) for one in (plain, imported)]
    for claim in ("16 shots", "seed of the draw", "lr = 0.002"):
        assert [claim in card for card in cards] == [True, False]
    assert "| imported from a checkpoint of the method's released code | model.pth.tar-5, SHA-256 abc |" in cards[1]


@pytest.mark.parametrize("selection", ["last", "best-val"])
def test_the_card_of_a_run_says_how_long_its_training_took(
    selection: str, backbone: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's folder knows it, and a copy of the prompts alone does not."""
    photos = shutil.copytree(drawn, tmp_path / "photos")
    spec = small("maple", backbone, epochs=2, selection=selection).spec(str(photos))
    data = bmip.sample_few_shot(bmip.load_dataset(photos), 2, 1)
    run = bmip.train(spec, bmip.load_clip(backbone), data, tmp_path / "run")
    run.model.save_pretrained(tmp_path / "copy")
    monkeypatch.setattr(learners, "push", lambda save, repository, card, **given: card)
    for place, said in (
        ("run", f"Training took {sum(epoch.seconds for epoch in run.history.epochs):.0f} s in 2 epochs."),
        ("run/prompts.json", " s in 2 epochs."),
        ("copy", "How long training took is not known."),
    ):
        learner = PromptLearner.from_pretrained(tmp_path / place, backbone=backbone, device="cpu")
        assert learner.history_ == (None if place == "copy" else run.history)
        card = learner.push_to_hub("someone/pets")
        assert said in card and "`pip install .`" in card


@pytest.mark.parametrize(
    ("method", "arguments", "said", "unsaid"),
    [
        (
            "tip-adapter",
            {},
            (
                "Nothing was trained: the files hold 128 numbers that are features of training images.",
                "2 shots of each",
            ),
            ("settings of training", "epochs", "Training took", "128 trained"),
        ),
        (
            "tip-adapter",
            {"options": {"trained": True}},
            ("The files hold the 128 trained numbers and", "epochs = 1", "in 1 epoch."),
            ("Nothing was trained",),
        ),
        (
            "zero-shot",
            {},
            ("made with `bmip`", "Nothing was trained: the files hold the method's options", "| training | none"),
            ("shots", "epoch", "Training took", "trained with"),
        ),
        (
            "linear-probe",
            {},
            ("The files hold the 68 trained numbers and", "without epochs of training"),
            ("settings of training", "Training took"),
        ),
        ("coop", {"shots": 0}, ("all images of each class; all classes", "in 1 epoch."), ("drawn at random",)),
        ("coop", {}, ("2 shots of each class, drawn at random; all classes",), ("Nothing was trained",)),
    ],
)
@pytest.mark.parametrize("again", [False, True])
def test_the_card_claims_no_training_that_was_not(
    again: bool,
    method: str,
    arguments: dict,
    said: tuple[str, ...],
    unsaid: tuple[str, ...],
    backbone: Path,
    drawn: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of prompts that were loaded: how their training went is not known, but whether there was one is."""
    learner = small(method, backbone, **arguments).fit(*labelled_paths(drawn))
    if again:
        learner.save_pretrained(tmp_path)
        learner = PromptLearner.from_pretrained(tmp_path, backbone=backbone, device="cpu")
    monkeypatch.setattr(learners, "push", lambda save, repository, card, **given: card)
    card = learner.push_to_hub("someone/pets")
    known = [part for part in said if not (again and part == "in 1 epoch.")]
    assert [part for part in known if part not in card] == [] == [part for part in unsaid if part in card]


@pytest.mark.parametrize("method", ["coop", "linear-probe"])
def test_the_card_knows_which_classes_can_be_asked_about(
    method: str, backbone: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it shows is what the prompts can do: its example is asked as it stands, on photos that are here."""
    learner = small(method, backbone).fit(*labelled_paths(drawn))
    monkeypatch.setattr(learners, "push", lambda save, repository, card, **given: card)
    card = learner.push_to_hub("someone/pets")
    (asked,) = re.findall(r'^learner\.predict\(\["photo.jpg"\](.*)\)$', card, re.MULTILINE)
    (command,) = re.findall(r"^bmip predict someone/pets photo.jpg(.*)$", card, re.MULTILINE)
    answers = eval(f"learner.predict(images{asked})", {"learner": learner, "images": [str(drawn / "red" / "00.png")]})
    assert len(answers) == 1
    any_classes = learner.model_.trained_on is None
    assert any_classes == ("Any class names will do" in card) == (shlex.split(command) != [])
    assert ("know the classes of training only" in card) != any_classes


def test_the_card_says_where_the_clip_is() -> None:
    model = build_model("coop", {}, tiny_clip(), ClassNames(("dog's", "cup")), seed=0)
    revision = {"backbone": "someone/clip", "backbone_revision": "1" * 40}
    for backbone, said in (
        ({"backbone": "embedded"}, "Their CLIP comes with `bmip`"),
        ({"backbone": "ViT-B/16"}, "is downloaded when"),
        (revision, "is downloaded when"),
        ({"backbone": "clip.pt"}, "is from a file that is not on the hub: name yours with `--backbone`"),
    ):
        card = model_card("someone/pets", replace(model.described(), **backbone), summary="CoOp.", trainable=1)
        assert said in card and card.count("Their CLIP") == 1
    assert shlex.split(card[card.index("--classes") :].partition("\n")[0]) == ["--classes", "dog's, cup"]


def test_names_with_commas_are_asked_for_one_by_one() -> None:
    said = build_model("coop", {}, tiny_clip(context=40), ClassNames(("crane, bird", "cat")), seed=0).described()
    card = model_card("someone/pets", said, summary="CoOp.", trainable=1, any_classes=True)
    (command,) = re.findall(r"bmip predict .*", card)
    assert shlex.split(command)[-3:] == ["--classes", "crane, bird", "cat"]
