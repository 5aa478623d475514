from pathlib import Path

import pytest
import torch

from bmip.class_names import ClassNames
from bmip.data.dataset import DataError
from bmip.data.images import read_image
from bmip.data.transforms import centre_square, normalise
from bmip.evaluation.predict import image_paths, predict
from bmip.methods import build_model
from bmip.testing import tiny_clip
from tests.small import photo_folder
from tests.training.tiny import OPTIONS

TRAINED = ClassNames(("red", "blue", "green"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return photo_folder(tmp_path / "photos", images=3)


@pytest.mark.parametrize("method", ["zero_shot", "bmip"])
def test_probabilities_are_the_models(photos: Path, method: str) -> None:
    model = build_model(method, dict(OPTIONS[method]), tiny_clip(), TRAINED, seed=1)
    files = image_paths([photos])
    found = predict(model, files, ["a dog", "grey"], top=2, batch=5)
    config = model.clip.config
    for file, prediction in zip(files, found, strict=True):
        assert prediction.image == str(file)
        pixels = normalise(centre_square(read_image(file), config.image_size)[None], config.mean, config.std)
        with torch.no_grad():
            shares = model(pixels, ClassNames(("a dog", "grey")))[0].softmax(-1).tolist()
        said = {guess.name: guess.probability for guess in prediction.guesses}
        assert said == pytest.approx(dict(zip(("a dog", "grey"), shares, strict=True)), abs=1e-5)
        assert prediction.guesses[0].probability >= prediction.guesses[1].probability


def test_without_names_those_of_training(photos: Path) -> None:
    model = build_model("zero_shot", {}, tiny_clip(), TRAINED, seed=1)
    (found,) = predict(model, [read_image(photos / "red" / "00.png")], top=9)
    assert {guess.name for guess in found.guesses} == set(TRAINED.names)
    assert len(predict(model, [photos / "red" / "00.png"], top=1)[0].guesses) == 1
    assert predict(model, []) == []


def test_wrong_questions(photos: Path) -> None:
    model = build_model("zero_shot", {}, tiny_clip(), TRAINED, seed=1)
    with pytest.raises(ValueError, match="occur more than once"):
        predict(model, [], ["a", "a"])
    with pytest.raises(ValueError, match="a list, not one text"):
        predict(model, [], "red")
    with pytest.raises(ValueError, match="top is 0"):
        predict(model, [], top=0)
    (photos / "bad.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"bad\.png"):
        predict(model, [photos / "bad.png"])


def test_places(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    (photos / "red" / "notes.txt").touch()
    assert image_paths(["red"]) == [Path("red") / f"{number:02}.png" for number in range(3)]
    assert image_paths(["red/01.png", "red"])[0] == Path("red/01.png")
    assert len(image_paths(["red/01.png", "red"])) == 3
    assert image_paths(["*/00.png"]) == [Path(name) / "00.png" for name in ("blue", "green", "grey", "red")]
    assert len(image_paths([photos / "**" / "*.png"])) == 12
    with pytest.raises(DataError, match="there is no image absent"):
        image_paths(["absent.png"])
    with pytest.raises(DataError, match="there is no image nothing"):
        image_paths(["nothing/*.png"])
