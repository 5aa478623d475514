from pathlib import Path

import pytest

from bmip.data.catalogue import dataset_names
from bmip.protocols.catalogue import protocol
from bmip.protocols.search import search_trials
from bmip.protocols.spelling import data_name
from bmip.protocols.trial import Trial


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    (folder / "sub").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", ["own", "own.csv", "sub/own"])
def test_one_folder_has_one_name(name: str, here: Path) -> None:
    for spelt in (name, f"./{name}", f"{name}/", f".//{name}//", str(here / name), f"{here}/{name}/", f"sub/../{name}"):
        assert data_name(spelt) == name


def test_what_lies_elsewhere_has_its_absolute_path(tmp_path: Path) -> None:
    for spelt in ("../own", f"{tmp_path}/own/", f"{tmp_path}/here/../own"):
        assert data_name(spelt) == f"{tmp_path}/own"


def test_a_folder_may_be_called_as_a_data_set(here: Path) -> None:
    for name in (*dataset_names(), "hub:somebody/digits", ""):
        assert data_name(name) == name
    for spelt in ("./digits", "digits/", str(here / "digits")):
        assert data_name(spelt) == "./digits"


def test_links_keep_their_names_and_lead_where_they_lead(here: Path, tmp_path: Path) -> None:
    (tmp_path / "far" / "away").mkdir(parents=True)
    (here / "link").symlink_to(tmp_path / "far" / "away")
    assert data_name("link/") == "link"
    assert data_name("link/../own") == f"{tmp_path}/far/own"


def test_trials_have_one_name_for_a_folder(here: Path) -> None:
    method = Trial(method="bmip")
    spelt = ["own", "./own", "own/", str(here / "own")]
    found = set(protocol("cross-dataset").trials(spelt, [method], [1], targets=["other/", "./other"]))
    assert {(trial.data, trial.target) for trial in found} == {("own", ""), ("own", "other")}
    assert {trial.data for trial in search_trials([method], spelt, [1])} == {"own"}
    with pytest.raises(ValueError, match="'own' is trained on and judged anyway"):
        list(protocol("cross-dataset").trials(["own"], [method], [1], targets=["own/"]))
