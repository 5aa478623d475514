import json
from dataclasses import replace

import pytest

from bmip.data.read_config import ReadConfig
from bmip.experiments.method_trial import method_trial
from bmip.experiments.registry import protocol
from bmip.experiments.trial import Trial
from bmip.run_spec import RunSpec
from tests.experiments.making import a_trial

TRIAL = a_trial(method="bmip", data="x", template="a {}.", target="y")


def test_json_and_back() -> None:
    assert Trial.from_json(json.loads(json.dumps(TRIAL.to_json()))) == TRIAL
    assert len({TRIAL, Trial.from_json(TRIAL.to_json())}) == 1


def test_json_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="missing or unknown: colour"):
        Trial.from_json({**TRIAL.to_json(), "colour": "red"})


def test_base_to_novel_crosses_data_seeds_and_methods() -> None:
    methods = [RunSpec(method="bmip"), RunSpec(method="maple")]
    trials = list(protocol("base-to-novel").trials(["x", "y"], methods, [1, 2, 3]))
    assert len(set(trials)) == 12
    assert {(trial.run.data_seed, trial.run.init_seed) for trial in trials} == {(1, 1), (2, 2), (3, 3)}
    assert {(trial.protocol, trial.run.classes, trial.run.split) for trial in trials} == {
        ("base-to-novel", "base", "test")
    }
    crossed = list(protocol("base-to-novel").trials(["x"], methods[:1], [1, 2], init_seeds=[7, 8]))
    assert [(trial.run.data_seed, trial.run.init_seed) for trial in crossed] == [(1, 7), (1, 8), (2, 7), (2, 8)]


def test_protocols_share_a_run_exactly_where_they_train_on_the_same_images_and_evaluate_the_same_split() -> None:
    methods = [RunSpec(method="bmip")]
    runs = {
        name: {trial.run for trial in protocol(name).trials(["things"], methods, [1])}
        for name in ("base-to-novel", "open-world", "ratio-sweep", "few-shot", "cross-dataset", "domain", "validation")
    }
    assert all(len(own) == 1 for own in runs.values())
    assert runs["base-to-novel"] == runs["open-world"] == runs["ratio-sweep"]
    assert runs["few-shot"] == runs["cross-dataset"] == runs["domain"]
    assert len(runs["base-to-novel"] | runs["few-shot"] | runs["validation"]) == 3


def test_a_preset_is_written_out_and_given_settings_win() -> None:
    spec = method_trial("zero-shot", backbone="x")
    assert (spec.method, spec.preset, spec.options, spec.training) == ("zero_shot", "default", (), ())
    spec = method_trial("bmip", "released", options={"depth": 4}, training={"lr": 0.5}, backbone="x")
    assert {"depth": 4, "text_short": True}.items() <= dict(spec.options).items()
    assert {"lr": 0.5, "patience": 4}.items() <= dict(spec.training).items()


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


def test_where_files_lie_is_no_part_of_a_trial() -> None:
    elsewhere = replace(TRIAL, run=replace(TRIAL.run, read=ReadConfig(template="a {}.", root="/data", cache="/c")))
    assert elsewhere == TRIAL and elsewhere.to_json() == TRIAL.to_json()
