import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bmip.class_names import ClassNames
from bmip.data.dataset import DataError
from bmip.data.images import read_image
from bmip.data.transforms import centre_square, normalise
from bmip.evaluation.pictures import picture_pixels
from bmip.evaluation.predict import classify, image_paths, predict
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
    with pytest.raises(ValueError, match=r"a list, not one text: give \['red'\]"):
        predict(model, [], "red")
    with pytest.raises(ValueError, match="top is 0"):
        predict(model, [], top=0)
    (photos / "bad.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"bad\.png"):
        predict(model, [photos / "bad.png"])


def test_every_form_of_an_image_gives_the_same_answer(photos: Path) -> None:
    model = build_model("bmip", dict(OPTIONS["bmip"]), tiny_clip(), TRAINED, seed=1)
    file = photos / "red" / "00.png"
    tensor = read_image(file)
    array = tensor.permute(1, 2, 0).numpy()
    forms = [file, str(file), Image.open(file), Image.fromarray(array), tensor, array, array[:, ::-1][:, ::-1]]
    forms += [
        (tensor.double() / 255).to(kind) for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    ]
    forms += [array.astype(kind) / kind(255) for kind in (np.float16, np.float32, np.float64)]
    found = predict(model, forms)
    for prediction in found:  # the places in a batch may differ in the last digit, as the processor computes them
        assert [guess.name for guess in prediction.guesses] == [guess.name for guess in found[0].guesses]
        shares = [guess.probability for guess in prediction.guesses]
        assert shares == pytest.approx([guess.probability for guess in found[0].guesses], rel=1e-5)
    assert [prediction.image for prediction in found[:5]] == [str(file)] * 3 + ["(pixels)"] * 2
    for form in forms:
        (alone,) = predict(model, form)
        assert [guess.name for guess in alone.guesses] == [guess.name for guess in found[0].guesses]
    assert len(predict(model, np.stack([array] * 3))) == len(predict(model, torch.stack([tensor] * 3))) == 3


@pytest.mark.parametrize("kind", [">f4", "<f8", ">f2", np.longdouble])
def test_all_256_steps_survive_as_floats_of_numpy(kind: str | type) -> None:
    steps = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    assert torch.equal(picture_pixels((steps / 255).astype(kind)), torch.from_numpy(steps).movedim(-1, 0))


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_holds_a_picture(batch: int) -> None:
    model = build_model("coop", {}, tiny_clip(), ClassNames(("a", "b")), seed=1)
    with pytest.raises(ValueError, match=f"batch is {batch}; at least one"):
        predict(model, [np.zeros((8, 8, 3), np.uint8)], batch=batch)


def test_all_256_steps_survive_as_floats() -> None:
    steps = torch.arange(256, dtype=torch.uint8).view(1, 16, 16).expand(3, -1, -1)
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert torch.equal(picture_pixels((steps.double() / 255).to(kind)), steps)


def test_a_photo_is_turned_upright_and_laid_on_white_whatever_its_form(tmp_path: Path) -> None:
    image = Image.new("RGBA", (6, 4), (255, 0, 0, 128))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as opened:
        pixels = picture_pixels(opened)
    assert torch.equal(pixels, read_image(tmp_path / "a.png")) and pixels.shape == (3, 6, 4)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.zeros((3, 4, 5), np.uint8), r"a numpy.ndarray of shape \(3, 4, 5\): .* must be \(height, width, 3\)"),
        (torch.zeros(4, 5, 3), r"a torch.Tensor of shape \(4, 5, 3\): a tensor must be \(3, height, width\)"),
        (np.zeros((4, 5)), r"shape \(4, 5\)"),
        (np.zeros((4, 5, 4), np.uint8), r"shape \(4, 5, 4\)"),
        (torch.zeros(3, 0, 5), "at least one pixel"),
        (torch.zeros(3, 4, 5, dtype=torch.int64), "of torch.int64: give uint8 in 0..255, or floating point in 0..1"),
        (np.zeros((4, 5, 3), bool), "of bool: give uint8"),
        (torch.full((3, 4, 5), 255.0), "values from 255 to 255: floating point must be in 0..1"),
        (torch.full((3, 4, 5), -0.1), "values from -0.1 to -0.1"),
        (np.full((4, 5, 3), np.nan), "values from nan to nan"),
        (Image.new("F", (4, 5)), r"\(pixels\) cannot be read .*signed or 32-bit values, whose range is not known"),
        ({"pixels": 3}, "an image is of type dict: give a path, a Pillow image"),
        (None, "an image is of type NoneType"),
        (b"a file's bytes", "an image is of type bytes"),
    ],
)
def test_other_forms_are_refused_by_name(image: object, told: str) -> None:
    model = build_model("zero_shot", {}, tiny_clip(), TRAINED, seed=1)
    with pytest.raises(DataError, match=told):
        predict(model, iter([image]))  # type: ignore[arg-type]  (an iterator passes the type checker of the tests)


CLUMSY = """
from bmip import ClassNames, build_model, evaluate, predict
from bmip.testing import tiny_clip, tiny_dataset

data, clip = tiny_dataset(), tiny_clip()
model = build_model("zero_shot", {}, clip, ClassNames(["red", "blue"]), seed=1)
for call in (
    lambda: model.class_features(["red", "blue"]),
    lambda: evaluate(model, data.test, list(data.classes.names)),
    lambda: build_model("coop", {}, clip, ["red", "blue"], seed=1),
    lambda: predict(model, 5),
    lambda: predict(model, b"the bytes of a file"),
    lambda: predict(model, {}),
    lambda: predict(model, [], [1, 2]),
    lambda: ClassNames("red"),
):
    try:
        call()
    except ValueError as error:
        print(error)
"""


def test_what_a_type_checker_would_find_is_a_clear_error_without_one() -> None:
    """In a process of its own: here every call is type-checked before it runs."""
    done = subprocess.run([sys.executable, "-c", CLUMSY], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *lists, number, content, mapping, names, text = done.stdout.splitlines()
    assert lists == ["the classes are a list; ClassNames are needed: give bmip.ClassNames(('cat', 'dog'))"] * 3
    assert number.startswith(
        "the images are of type int: give a path, a Pillow image, a numpy array (height, width, 3) or"
    )
    assert content.startswith("the images are of type bytes: ") and mapping.startswith("the images are of type dict: ")
    assert names == "1 is among the class names: each must be a text"
    assert text == "class names are a list, not one text: give ['red']"


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


def test_only_some_images_are_alive_at_a_time() -> None:
    model = build_model("zero_shot", {}, tiny_clip(), TRAINED, seed=1)
    alive = most = 0

    def gone() -> None:
        nonlocal alive
        alive -= 1

    def drawn() -> Iterator[np.ndarray]:
        nonlocal alive, most
        for number in range(3000):
            image = np.full((20, 20, 3), number % 256, np.uint8)
            weakref.finalize(image, gone)
            alive, most = alive + 1, max(most, alive + 1)
            yield image

    found = classify(model, drawn(), batch=50)
    assert next(found).image == "(pixels)" and most < 250, "the first answer comes before the last image is read"
    assert sum(1 for _ in found) == 2999
    assert most < 250 and alive == 0


def test_what_cannot_be_read_is_told_and_the_rest_is_done(photos: Path) -> None:
    model = build_model("zero_shot", {}, tiny_clip(), TRAINED, seed=1)
    (photos / "red" / "00.png").write_bytes(b"x")
    files, unread = [*image_paths([photos]), photos / "absent.png"], []
    found = list(classify(model, files, batch=2, unread=unread.append))
    assert [prediction.image for prediction in found] == [
        str(file) for file in files[:-1] if file != photos / "red" / "00.png"
    ]
    assert (
        len(unread) == 2 and "is not an image" in unread[0] and unread[1] == f"{photos / 'absent.png'} does not exist"
    )
    assert list(classify(model, [photos / "absent.png"], unread=unread.append)) == []
