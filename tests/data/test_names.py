from pathlib import Path

import pytest

from bmip.data.names import data_name, dataset_names
from bmip.experiments.registry import protocol
from bmip.experiments.search import search_trials
from bmip.run_spec import RunSpec


@pytest.mark.parametrize("name", ["own", "own.csv", "sub/own", "../own", "/far/own"])
def test_one_path_has_one_name(name: str) -> None:
    for spelt in (name, f"{name}/", f"{name}//", name.replace("/own", "//./own")):
        assert data_name(spelt) == name
    if not name.startswith("/"):
        assert data_name(f"./{name}") == data_name(f".//{name}/") == name


def test_a_name_does_not_depend_on_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (tmp_path, tmp_path.parent):
        monkeypatch.chdir(place)
        assert data_name(f"{tmp_path}/own/") == f"{tmp_path}/own"


def test_a_folder_may_be_called_as_a_data_set() -> None:
    for name in (*dataset_names(), "hub:somebody/digits", ""):
        assert data_name(name) == name
    for spelt in ("./digits", "digits/", ".//digits/"):
        assert data_name(spelt) == "./digits"


def test_trials_have_one_name_for_a_folder() -> None:
    method = RunSpec(method="bmip")
    spelt = ["own", "./own", "own/"]
    found = set(protocol("cross-dataset").trials(spelt, [method], [1], targets=["other/", "./other"]))
    assert {(trial.run.data, trial.target) for trial in found} == {("own", ""), ("own", "other")}
    assert {trial.run.data for trial in search_trials([method], spelt, [1])} == {"own"}
    with pytest.raises(ValueError, match="'own' is trained on and evaluated anyway"):
        list(protocol("cross-dataset").trials(["own"], [method], [1], targets=["own/"]))
