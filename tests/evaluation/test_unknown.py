import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.class_names import ClassNames
from bmip.data.dataset import DataError
from bmip.evaluation.evaluate import evaluate_logits
from bmip.evaluation.predict import predict
from bmip.evaluation.unknown import (
    MEANING,
    SCORES,
    Calibration,
    Threshold,
    better_score,
    calibrate,
    score_of,
    validation_scores,
)
from bmip.methods import build_model
from bmip.testing import tiny_clip, tiny_dataset

DATA = tiny_dataset()
ASKED = ClassNames(("red", "blue"))


@given(st.integers(19, 200), st.sampled_from([0.05, 0.1, 0.25]), st.integers(0, 2**31))
def test_a_new_image_raises_a_false_alarm_as_often_as_expected(count: int, allowed: float, seed: int) -> None:
    """Leave each of n + 1 scores out in turn: exactly the expected share of them lies below the others' threshold."""
    scores = np.random.default_rng(seed).normal(size=count + 1)
    if int(allowed * (count + 1)) < 1:
        return
    alarms, expected = 0, 0.0
    for left_out in range(count + 1):
        found = calibrate(np.delete(scores, left_out), np.array([]), "similarity", allowed)
        alarms += scores[left_out] < found.threshold.value
        expected = found.false_alarms
    assert alarms / (count + 1) <= expected + 1e-12 <= allowed + 1e-12
    assert alarms == round(expected * (count + 1)), "no two of these scores are equal"


def test_what_is_found_of_other_classes_is_counted() -> None:
    known, other = np.arange(1.0, 20.0), np.array([0.5, 0.9, 1.0, 7.0])
    found = calibrate(known, other, "probability", 0.05)
    assert (found.threshold, found.images, found.others) == (Threshold(1.0, "probability"), 19, 4)
    assert (found.false_alarms, found.found) == (0.05, 0.5), "a score equal to the threshold is not below it"
    assert calibrate(known, np.array([]), "probability", 0.05).found is None
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert better_score(dict.fromkeys(SCORES, known), {"similarity": other, "probability": known + 9}) == "similarity"
    assert better_score(dict.fromkeys(SCORES, known), {"similarity": known + 9, "probability": other}) == "probability"
    assert MEANING.keys() == set(SCORES)


def test_too_few_images_and_shares_that_are_none() -> None:
    with pytest.raises(ValueError, match=r"18 images of known classes are too few for .* 0.05 .*: 19 are needed"):
        calibrate(np.arange(18.0), np.array([]), "similarity", 0.05)
    for share in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match="give more than 0, less than 1"):
            calibrate(np.arange(30.0), np.array([]), "similarity", share)
    with pytest.raises(ValueError, match="the score is 'logit'"):
        Calibration.from_json({"threshold": {"value": 1.0, "score": "logit"}})


def test_scores_are_those_of_the_predictions() -> None:
    model = build_model("bmip", {"depth": 3}, tiny_clip(), ASKED, seed=1)
    known, other = validation_scores(model, DATA, ASKED)
    assert DATA.val is not None
    found = predict(model, [DATA.val.images[index] for index in range(len(DATA.val))], ASKED)
    labels = [DATA.classes.names[label] for label in DATA.val.labels]
    for score in SCORES:
        for inside, scores in ((True, known), (False, other)):
            gold = [
                score_of(one, score) for one, name in zip(found, labels, strict=True) if (name in ASKED.names) == inside
            ]
            np.testing.assert_allclose(scores[score], gold, atol=1e-6)
    logits = evaluate_logits(model, DATA.val, DATA.classes)[1]
    wide = predict(model, [DATA.val.images[0]], DATA.classes)[0]
    assert wide.similarity == pytest.approx(float(logits[0].max() / model.clip.scale), abs=1e-6)
    assert Threshold(wide.similarity + 1e-3, "similarity").unknown(wide)
    assert not Threshold(wide.similarity - 1e-3, "similarity").unknown(wide)


def test_a_score_that_is_the_same_for_all_images_is_not_chosen() -> None:
    """The probability of the only class is 1, which tells nothing, however badly the similarity tells images apart."""
    known = {"similarity": np.array([0.1, 0.2]), "probability": np.ones(2)}
    other = {"similarity": np.array([0.3, 0.4]), "probability": np.ones(2)}
    assert better_score(known, other) == "similarity"
    other["probability"] = np.array([0.5, 0.4])
    assert better_score(known, other) == "probability"


def test_data_that_cannot_choose_a_threshold() -> None:
    model = build_model("zero_shot", {}, tiny_clip(), ASKED, seed=1)
    for data, told in (
        (tiny_dataset(val=False), "has no validation images: a threshold must be chosen on images that nothing"),
        (tiny_dataset(val_is_test=True), "is validated on its test images: a threshold must"),
    ):
        with pytest.raises(DataError, match=told):
            validation_scores(model, data, ASKED)
    with pytest.raises(DataError, match=r"no validation images of cat: its classes are red"):
        validation_scores(model, DATA, ClassNames(("cat",)))
    one = replace(DATA, classes=replace(DATA.classes, names=("Red", "green", "blue", "grey")))
    assert len(validation_scores(model, one, ASKED)[0]["similarity"]) == 8, "capital letters do not matter"
    named = replace(DATA, classes=replace(DATA.classes, names=("cafe\u0301", *DATA.classes.names[1:])))
    asked = ClassNames(("caf\u00e9", "cat"))
    assert len(validation_scores(model, named, asked)[0]["similarity"]) == sum(label == 0 for label in DATA.val.labels)
