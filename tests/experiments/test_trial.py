import json
from dataclasses import replace

import pytest

from bmip.experiments.method_trial import method_trial
from bmip.experiments.protocols.base_to_novel import base_to_novel
from bmip.experiments.trial import Trial, settings

TRIAL = Trial(method="bmip", options=settings({"depth": 3, "context": "a"}), training=settings({"lr": 0.1}))


def test_json_and_back() -> None:
    assert Trial.from_json(json.loads(json.dumps(TRIAL.to_json()))) == TRIAL
    assert len({TRIAL, Trial.from_json(TRIAL.to_json())}) == 1


@pytest.mark.parametrize("base", [0.25, ("red", "blue")])
def test_base_classes_are_kept_and_told_apart(base: float | tuple[str, ...]) -> None:
    trial = replace(TRIAL, base=base)
    assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial
    assert trial.folder() != TRIAL.folder()
    assert "base" not in TRIAL.to_json(), "rows from before there was a choice still count"


def test_json_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="missing or unknown: colour"):
        Trial.from_json({**TRIAL.to_json(), "colour": "red"})
    with pytest.raises(ValueError, match="numbers, words and truth values"):
        settings({"depth": [1]})


def test_settings_have_no_order() -> None:
    assert settings({"a": 1, "b": 2}) == settings({"b": 2, "a": 1})


def test_every_trial_and_circumstance_has_its_own_folder() -> None:
    others = [replace(TRIAL, data_seed=2), replace(TRIAL, shots=4), replace(TRIAL, data="a/b"), TRIAL]
    folders = {trial.folder("hash") for trial in others} | {TRIAL.folder("other")}
    assert len(folders) == len(others) + 1
    assert replace(TRIAL, protocol="p", data="../../x y").folder().startswith("p/x-y/bmip-seeds-1-1-")
    assert replace(TRIAL, protocol="p", data="/").folder().startswith("p/data/")


def test_base_to_novel_crosses_data_seeds_and_methods() -> None:
    methods = [Trial(method="bmip"), Trial(method="maple")]
    trials = list(base_to_novel(["x", "y"], methods, [1, 2, 3]))
    assert len(set(trials)) == 12
    assert {(trial.data_seed, trial.init_seed) for trial in trials} == {(1, 1), (2, 2), (3, 3)}
    assert {trial.protocol for trial in trials} == {"base-to-novel"}
    crossed = list(base_to_novel(["x"], methods[:1], [1, 2], init_seeds=[7, 8]))
    assert [(trial.data_seed, trial.init_seed) for trial in crossed] == [(1, 7), (1, 8), (2, 7), (2, 8)]


def test_a_preset_is_written_out_and_given_settings_win() -> None:
    trial = method_trial("zero-shot", backbone="x")
    assert (trial.method, trial.preset, trial.options, trial.training) == ("zero_shot", "default", (), ())
    trial = method_trial("bmip", "released", options={"depth": 4}, training={"lr": 0.5}, backbone="x")
    assert {"depth": 4, "text_short": True}.items() <= dict(trial.options).items()
    assert {"lr": 0.5, "patience": 4}.items() <= dict(trial.training).items()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"options": {"dpth": 4}}, "did you mean 'depth'"),
        ({"training": {"epoch": 4}}, "did you mean 'epochs'"),
        ({"training": {"batch": 0}}, "batch is 0"),
        ({"training": {"lr": float("nan")}}, "lr is nan"),
        ({"shots": -1}, "-1 shots"),
    ],
)
def test_settings_that_make_no_sense(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method_trial("bmip", backbone="x", **given)
