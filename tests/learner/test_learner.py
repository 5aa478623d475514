import pickle
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from PIL import Image
from sklearn.metrics import accuracy_score

import bmip
from bmip import ClassNames, PromptLearner, ReadConfig, TrainConfig
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.images import read_image
from bmip.evaluation.evaluate import evaluate
from bmip.learner.given import GivenImages
from bmip.learner.learner import NotTrainedError
from bmip.methods import combination_names, method_names
from bmip.prompting.model import PromptedCLIP
from tests.learner.conftest import labelled_paths, small

METHODS = (*method_names(), *combination_names())
OTHERS = ["a purple frog", "red", "yo-yo"]


@pytest.fixture
def photos(tmp_path: Path, drawn: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "photos"))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_knows_other_classes_after_it_was_saved(
    method: str, backbone: Path, drawn: Path, tmp_path: Path
) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small(method, backbone).fit(paths, labels)
    assert learner.predict_proba(paths[:3]).shape == (3, 4) and learner.classes_.tolist() == sorted(set(labels))
    learner.save_pretrained(tmp_path)
    again = PromptLearner.from_pretrained(tmp_path, backbone=backbone, device="cpu")
    refuses = learner.model_.trained_on is not None
    if refuses:
        with pytest.raises(ValueError, match="knows no others"):
            again.predict(paths, classes=OTHERS)
    for classes in (None,) if refuses else (None, OTHERS):
        before, after = (each.predict_proba(paths, classes=classes) for each in (learner, again))
        assert np.array_equal(before, after)
        np.testing.assert_allclose(before.sum(1), 1, atol=1e-5)
    assert refuses or set(again.predict(paths, classes=OTHERS)) <= set(OTHERS)


def test_prompts_of_single_classes_say_why_they_know_no_others(backbone: Path, drawn: Path) -> None:
    learner = small("coop", backbone, options={"class_specific": True}).fit(*labelled_paths(drawn))
    for ask in (
        lambda: learner.predict([], classes=OTHERS),
        lambda: learner.with_classes(OTHERS),
        lambda: learner.encode_text(OTHERS),
    ):
        with pytest.raises(ValueError, match=r"learned something of its own for each class and knows no others"):
            ask()
    assert learner.encode_text().shape == (4, 16)


def test_every_form_of_images_gives_the_same_answers(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("bmip", backbone).fit(paths, labels)
    gold = learner.predict_proba(paths)
    tensors = [read_image(path) for path in paths]
    arrays = [tensor.permute(1, 2, 0).numpy() for tensor in tensors]
    forms = [
        [Path(path) for path in paths],
        tuple(paths),
        iter(paths),
        np.array(paths),
        drawn,
        str(drawn / "*" / "*.png"),
        [Image.open(path) for path in paths],
        tensors,
        torch.stack(tensors),
        arrays,
        np.stack(arrays),
        pandas.DataFrame({"path": paths, "label": labels}),
        pandas.DataFrame({"image": arrays}),
        pandas.Series(paths),
    ]
    for images in forms:
        assert np.array_equal(learner.predict_proba(images), gold)
    assert learner.predict_proba([]).shape == (0, 4) and learner.predict([]).shape == (0,)
    assert learner.encode_image([]).shape == (0, 16)


def test_every_form_of_images_trains_the_same(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    arrays = np.stack([np.asarray(Image.open(path)) for path in paths])
    frame = pandas.DataFrame({"path": paths, "label": labels, "colour": labels})
    learners = [
        small("bmip", backbone).fit(paths, labels),
        small("bmip", backbone).fit(arrays, np.array(labels)),
        small("bmip", backbone).fit(frame),
        small("bmip", backbone).fit(frame[["path"]], frame["label"]),
        small("bmip", backbone, read=ReadConfig(label_column="colour")).fit(frame.drop(columns="label")),
    ]
    gold = learners[0].model_
    for other in learners[1:]:
        for name, tensor in other.model_.trainable().items():
            assert torch.equal(tensor, gold.trainable()[name])
    assert len({each.model_.described().split_hash for each in learners}) == 1
    few = small("bmip", backbone, seed=2).fit(paths, labels).model_.described()
    assert few.split_hash != gold.described().split_hash, "other shots"


def test_a_folder_is_trained_on_as_the_trainer_does(backbone: Path, photos: Path, tmp_path: Path) -> None:
    learner = small("maple", backbone, seed=3).fit(photos)
    spec = learner.model_.described().spec
    assert (spec.data, spec.shots, spec.data_seed, spec.init_seed) == (str(photos), 2, 3, 3)
    data = bmip.sample_few_shot(bmip.load_dataset(photos), 2, 3)
    run = bmip.train(spec, bmip.load_clip(backbone), data)
    for name, tensor in run.model.trainable().items():
        assert torch.equal(tensor, learner.model_.trainable()[name])
    assert run.model.described() == learner.model_.described()
    assert learner.history_ is not None and len(learner.history_.epochs) == 1
    assert learner.score(photos) == run.predictions.accuracy / 100, "the test split that was written down"


def test_equal_names_are_classes_of_their_own(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("bmip", backbone, epochs=5, lr=0.05).fit(paths, labels)
    names = tuple(sorted(set(labels)))
    images = GivenImages(tuple(paths))
    split = Split(images, tuple(map(names.index, labels)))
    twice = Dataset("twice", ClassNames((*names, names[0]), duplicates=True), split, None, split)
    asked = twice.classes
    assert learner.score(twice, classes=asked) == evaluate(learner.model_, split, asked).accuracy / 100
    assert learner.score(twice, classes=asked) == pytest.approx(learner.score(paths, labels))
    with pytest.raises(DataError, match="occurs more than once, so a label does not say which class is meant"):
        learner.score(paths, labels, classes=asked)


def test_a_trained_learner_can_be_stored(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("bmip", backbone).fit(paths, labels).with_classes(OTHERS)
    again = pickle.loads(pickle.dumps(learner))
    assert np.array_equal(again.predict_proba(paths), learner.predict_proba(paths))
    assert again.classes_.tolist() == OTHERS


def test_numbers_of_numpy_are_numbers(backbone: Path, drawn: Path, tmp_path: Path) -> None:
    """As a grid or a data frame gives them."""
    paths, labels = labelled_paths(drawn)
    given = {"shots": np.int64(2), "seed": np.int64(3), "init_seed": np.int32(3), "epochs": np.int64(1)}
    given |= {"lr": np.float64(0.01)}
    learner = small("bmip", backbone).set_params(options={"slots": np.int64(2), "depth": 3}, **given)
    learner.fit(paths, labels).save_pretrained(tmp_path)
    plain = small("bmip", backbone).set_params(
        options={"slots": 2, "depth": 3}, **{name: value.item() for name, value in given.items()}
    )
    assert np.array_equal(plain.fit(paths, labels).predict_proba(paths), learner.predict_proba(paths))


@pytest.mark.parametrize(("name", "value"), [("shots", "4"), ("shots", 2.5), ("seed", -1), ("init_seed", True)])
def test_counts_that_are_none(backbone: Path, drawn: Path, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value!r}; it must be a whole number and at least 0"):
        small("bmip", backbone).set_params(**{name: value}).fit(*labelled_paths(drawn))


def test_one_class_alone_teaches_nothing(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    with pytest.raises(DataError, match=r"all images are of one class \(cat\): give images of two at least"):
        small("bmip", backbone).fit(paths, ["cat"] * len(labels))


def test_score_is_the_share_of_right_answers(backbone: Path, photos: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("bmip", backbone, epochs=5, lr=0.05).fit(paths, labels)
    gold = accuracy_score(labels, learner.predict(paths))
    assert gold > 0.25 and learner.score(paths, labels) == pytest.approx(gold)
    assert learner.score(photos) == pytest.approx(gold), "a folder without a split: all images"
    (photos / "red" / "torn.png").write_bytes(b"")
    learner.set_params(read=ReadConfig(skip_bad_images=True))
    with pytest.warns(UserWarning, match=r"left out: .*torn\.png is empty"):
        assert learner.score(photos) == pytest.approx(gold)
    (photos / "red" / "torn.png").unlink()
    assert not (photos / "split.json").exists(), "asking for a score draws no split"
    assert learner.score(pandas.DataFrame({"path": paths, "label": labels})) == pytest.approx(gold)
    table = photos / "table.csv"
    table.write_text("path,label,split\nred/00.png,red,train\nblue/00.png,blue,test\nred/01.png,red,test\n")
    chosen = [str(photos / "blue" / "00.png"), str(photos / "red" / "01.png")]
    assert learner.score(table) == accuracy_score(["blue", "red"], learner.predict(chosen))
    wide = ["red", "blue", "green", "grey", "a car"]
    assert learner.score(paths, labels, classes=wide) == pytest.approx(
        accuracy_score(labels, learner.predict(paths, classes=wide))
    )
    with pytest.raises(DataError, match=r"images are labelled 'blue', .* the classes are red, a car: name all classes"):
        learner.score(paths[:1], labels[:1], classes=["red", "a car"])


def test_features_make_the_probabilities(backbone: Path, drawn: Path) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("maple", backbone).fit(paths, labels)
    images, texts = learner.encode_image(paths), learner.encode_text(OTHERS)
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    powers = np.exp(learner.scale * images @ texts.T)
    np.testing.assert_allclose(
        powers / powers.sum(1, keepdims=True), learner.predict_proba(paths, classes=OTHERS), atol=1e-5
    )
    reading = small("cocoop", backbone).fit(paths, labels)
    with pytest.raises(ValueError, match=r"differ between images, .* `predict_proba`"):
        reading.encode_text()


def test_other_classes_are_encoded_once(backbone: Path, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("bmip", backbone).fit(paths, labels)
    asked = []
    encode = PromptedCLIP.class_features
    monkeypatch.setattr(
        PromptedCLIP, "class_features", lambda self, classes: asked.append(classes) or encode(self, classes)
    )
    other = learner.with_classes(OTHERS)
    assert other.classes_.tolist() == OTHERS
    for _ in range(3):
        assert np.array_equal(other.predict(paths), learner.predict(paths, classes=OTHERS))
    assert len(asked) == 1 + 3
    assert learner.classes_.tolist() == sorted(set(labels)), "the learner itself stays as it is"
    template = learner.with_classes(ClassNames(tuple(OTHERS), "one {}"))
    assert template.classes_.tolist() == OTHERS


def test_what_was_loaded_can_be_trained_again(backbone: Path, photos: Path, tmp_path: Path) -> None:
    learner = small("ivlp", backbone, seed=4, init_seed=5, lr=0.01).fit(photos)
    learner.save_pretrained(tmp_path / "prompts")
    again = PromptLearner.from_pretrained(tmp_path / "prompts", backbone=backbone, device="cpu")
    assert (again.method, again.shots, again.seed, again.init_seed, again.lr) == ("ivlp", 2, 4, 5, 0.01)
    assert again.score(photos) == learner.score(photos) and again.history_ is None
    before = again.model_.trainable()
    for name, tensor in again.fit(photos).model_.trainable().items():
        assert torch.equal(tensor, before[name])


def test_every_setting_of_training_is_an_argument() -> None:
    known = PromptLearner().get_params()
    assert {field.name for field in fields(TrainConfig)} <= known.keys()
    assert all(known[field.name] is None for field in fields(TrainConfig))
    assert repr(PromptLearner("maple", lr=0.1, seed=1)) == "PromptLearner(method='maple', lr=0.1)"


def test_fit_takes_settings_as_the_constructor_does(backbone: Path, photos: Path) -> None:
    said = small("maple", backbone).fit(photos, shots=1, seed=5)
    given = small("maple", backbone, shots=1, seed=5).fit(photos)
    assert (said.shots, said.seed) == (1, 5)
    assert said.model_.described() == given.model_.described()
    with pytest.raises(ValueError, match=r"^PromptLearner has no argument 'sample_weight'"):
        said.fit(photos, sample_weight=[1])


def test_wrong_questions(backbone: Path, drawn: Path, tmp_path: Path) -> None:
    learner = small("bmip", backbone)
    paths, labels = labelled_paths(drawn)
    for ask in (
        lambda: learner.predict(paths),
        lambda: learner.score(drawn),
        lambda: learner.save_pretrained(tmp_path),
        lambda: learner.classes_,
    ):
        with pytest.raises(NotTrainedError, match=r"is not trained: call fit\(...\)"):
            ask()
    with pytest.raises(ValueError, match=r"no argument 'epoch': did you mean 'epochs'"):
        learner.set_params(epoch=3)
    with pytest.raises(ValueError, match=r"no preset 'relased': did you mean 'released'"):
        small("bmip", backbone, preset="relased").fit(paths, labels)
    for images, said, told in (
        (paths, None, "labels are missing: give one class name for each image"),
        (paths, labels[:-1], "40 images came with 39 labels: give one label per image"),
        (paths, list(range(40)), "the label 0 is no text: labels are class names"),
        (paths, "red", r"labels are a list of class names, one for each image; 'red' is none"),
        (drawn, labels, "is a folder, whose labels are the names of its folders: give it without labels"),
        (pandas.DataFrame({"path": paths}), None, "the data frame has no column 'label' of labels: it has path"),
        (pandas.DataFrame({"file": paths, "label": labels}), None, "no column path or image: it has file, label"),
        ("digts", None, "'digts' is neither a data set"),
        ([*paths[:-1], "absent.png"], labels, "absent.png does not exist"),
    ):
        with pytest.raises(ValueError, match=told):
            small("bmip", backbone, shots=0).fit(images, said)
    with pytest.raises(ValueError, match=r"no validation images for selection 'best-val'"):
        small("bmip", backbone, selection="best-val").fit(paths, labels)
    learner.fit(paths, labels)
    for classes, told in (("red", "a list, not one text"), (["a", "a"], "occur more than once"), ([], "is empty")):
        with pytest.raises(ValueError, match=told):
            learner.predict(paths, classes=classes)
    with pytest.raises(DataError, match="there is no image absent"):
        learner.predict("absent.png")


def test_a_damaged_threshold_is_named(backbone: Path, drawn: Path, tmp_path: Path) -> None:
    small("zero-shot", backbone).fit(*labelled_paths(drawn)).save_pretrained(tmp_path)
    (tmp_path / "prompts.threshold.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"prompts.threshold.json is damaged .*bmip calibrate") as raised:
        PromptLearner.from_pretrained(tmp_path, backbone=backbone, device="cpu")
    assert str(tmp_path) in str(raised.value)
