"""What cannot be answered gets a 4xx with a sentence, and nobody else is harmed."""

import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from bmip.data.images import read_heic_too
from bmip.serving.classifier import Classifier, Question
from bmip.serving.limits import Limits, RefusedError
from bmip.serving.uploads import formats, upload_pixels
from tests.serving.conftest import Serve, images, png, small_model

GOOD = png("green")


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def claims(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that claims this size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"\0" * 100))


def with_scans(count: int) -> bytes:
    """A progressive JPEG that shows its last scan again and again."""
    file = BytesIO()
    picture = Image.new("RGB", (64, 64), "red")
    ImageDraw.Draw(picture).ellipse((9, 9, 50, 40), fill="blue")
    picture.save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * count + whole[-2:]


@pytest.mark.parametrize("progressive", [False, True])
def test_a_film_behind_a_picture_has_no_scans(progressive: bool) -> None:
    """As telephones write them; a film has the bytes of a scan's mark by chance."""
    file = BytesIO()
    Image.effect_noise((64, 64), 90).save(file, "JPEG", progressive=progressive, restart_marker_blocks=1)
    pixels = upload_pixels(file.getvalue() + b"\xff\xda" * 500, "film.jpg", Limits())
    assert pixels.shape == (3, 64, 64)
    with pytest.raises(RefusedError, match="more than 100 scans"):
        upload_pixels(with_scans(200).replace(b"\xff\xda", b"\0\0\xff\xff\xda"), "odd.jpg", Limits())


def test_scans_cannot_hide() -> None:
    """In what looks like the start of another part; and a long run of filling bytes takes no time."""
    whole = with_scans(200)
    start = whole.index(b"\xff\xda")
    hidden = [
        whole[:start] + b"\xff\x02\xff\xff" + whole[start:],
        whole.replace(b"\xff\xda\0\x08\x01\x01", b"\xff\xda\0\x08\x01\xff"),
        whole[:start] + b"\xff" * 2**18 + b"\0" + whole[start:],
    ]
    for content in hidden:
        with pytest.raises(RefusedError, match=r"^hidden\.jpg "):
            upload_pixels(content, "hidden.jpg", Limits())


def test_a_refusal_tells_its_reason_behind_a_long_name(server: httpx.Client) -> None:
    answer = server.post("/api/predict", files=images(GOOD), data={"classes": ["x " * 99, "dog"]})
    assert answer.status_code == 422 and "tokens" in answer.json()["detail"] and "shorten" in answer.json()["detail"]


def flat(width: int, height: int) -> bytes:
    """A file of few bytes with many pixels of one colour."""
    file = BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


FILES = {
    "a claim of ten thousand million pixels": (claims(100_000, 100_000), 422, "pixels"),
    "a claim of more than Pillow counts": (claims(2**31 - 1, 2**31 - 1), 422, "pixels"),
    "many real pixels in few bytes": (flat(7000, 7000), 422, "7,000 x 7,000 pixels; a picture may have 40,000,000"),
    "a text that grows": (
        claims(9, 9, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26)))),
        422,
        "cannot be read",
    ),
    "a JPEG of many scans": (with_scans(200), 422, "more than 100 scans"),
    "no pixels": (claims(0, 0), (415, 422), ""),
    "a picture that is cut short": (png(size=(200, 200))[:-2000], 422, "cannot be read"),
    "a JPEG that is cut short": (png(size=(200, 200), kind="JPEG")[:-2000], 422, "cannot be read"),
    "nothing": (b"", 422, "is empty (0 bytes)"),
    "text": (b"hello", 415, "is no picture"),
    "a page": (b"<html><script>alert(1)</script>", 415, "is no picture"),
    "a drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "send one of BMP, GIF, JPEG, PNG, TIFF, WEBP"),
    "a program for a printer": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", 415, "is no picture"),
    "numbers as text": (b"P3 2 2 255\n" + b"0 0 0 " * 4, 415, "is no picture"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_refused(server: httpx.Client, name: str) -> None:
    file, status, part = FILES[name]
    answer = server.post("/api/predict", files=images(file, names=("the file.png",)))
    assert answer.status_code == status if isinstance(status, int) else answer.status_code in status, answer.text
    said = answer.json()["detail"]
    assert said.startswith("the file.png ") and part in said and "\n" not in said
    explained = server.post("/api/explain", files={"image": ("the file.png", file)})
    assert (explained.status_code, explained.json()) == (answer.status_code, answer.json())


def test_heic_without_its_package(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    file = png(kind="HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for remembered in (formats, read_heic_too):
        remembered.cache_clear()
    answer = server.post("/api/predict", files=images(file, names=("IMG_1.HEIC",)))
    formats.cache_clear()
    assert answer.status_code == 415 and answer.json()["detail"].startswith("IMG_1.HEIC is no picture")


@settings(max_examples=60)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "HEIF"]), st.data())
def test_a_damaged_file_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    file = bytearray(png(kind=kind))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(file)))
    try:
        pixels = upload_pixels(bytes(file[:cut]) if data.draw(st.booleans()) else bytes(file), "it", Limits())
    except RefusedError as error:
        assert error.status in (415, 422) and str(error).startswith("it ")
    else:
        assert pixels.shape[0] == 3 and pixels.shape[1] * pixels.shape[2] <= Limits().image_pixels


def test_a_broken_file_harms_nobody_else(serve: Serve) -> None:
    client = serve(small_model())
    alone = client.post("/api/predict", files=images(GOOD)).json()["predictions"]
    sent = [GOOD if number % 2 else file for number, (file, *_) in enumerate([*FILES.values()] * 2)]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda file: client.post("/api/predict", files=images(file)), sent))
    for file, answer in zip(sent, answers, strict=True):
        if file is GOOD:
            scores = answer.json()["predictions"][0]["scores"]
            assert [one["class"] for one in scores] == [one["class"] for one in alone[0]["scores"]]
            assert scores[0]["probability"] == pytest.approx(alone[0]["scores"][0]["probability"], abs=1e-5)
        else:
            assert 400 <= answer.status_code < 500
    mixed = client.post("/api/predict", files=images(GOOD, b"broken", names=("good.png", "bad.png")))
    assert mixed.status_code == 415 and mixed.json()["detail"].startswith("bad.png ")


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["red", "  "], "class 1 has an empty name"),
        (["red", "red"], "occur more than once: 'red'"),
        (["red", "x" * 300], "has 300 letters; a name may have 200"),
        (["red", "dog " * 40], "tokens"),
        ([f"dog {number}" for number in range(1001)], "1,001 class names came; a request may have 1,000"),
    ],
)
def test_names_that_are_refused(server: httpx.Client, names: list[str], part: str) -> None:
    answer = server.post("/api/predict", files=images(GOOD), data={"classes": names})
    assert answer.status_code == 422 and part in answer.json()["detail"]


SENT: dict[str, tuple[Callable[[httpx.Client], httpx.Response], int, str]] = {
    "no picture": (lambda client: client.post("/api/predict", data={"classes": "a"}), 422, "images is missing"),
    "a text as picture": (lambda client: client.post("/api/predict", data={"images": "a"}), 422, "images is no file"),
    "JSON": (lambda client: client.post("/api/predict", json={"images": ["a"]}), 422, "images"),
    "no form": (
        lambda client: client.post("/api/predict", content=b"x", headers={"content-type": "multipart/form-data"}),
        400,
        "boundary",
    ),
    "no number": (
        lambda client: client.post("/api/predict", files=images(GOOD), data={"top_k": "many"}),
        422,
        "top_k: Input should be a valid integer",
    ),
    "no class": (lambda client: client.post("/api/predict", files=images(GOOD), data={"top_k": "0"}), 422, "top_k"),
    "too many pictures": (lambda client: client.post("/api/predict", files=images(*[GOOD] * 17)), 422, "17 pictures"),
    "far too many": (lambda client: client.post("/api/predict", files=images(*[GOOD] * 99)), 400, "Too many files"),
    "another verb": (lambda client: client.put("/api/predict", content=b"x"), 405, "Method Not Allowed"),
}


@pytest.mark.parametrize("name", SENT)
def test_requests_that_are_refused(server: httpx.Client, name: str) -> None:
    send, status, part = SENT[name]
    answer = send(server)
    assert answer.status_code == status, answer.text
    assert part in answer.json()["detail"]


def test_names_of_files_are_shown_without_folders_and_short(server: httpx.Client) -> None:
    for given_name, shown in (("../../etc/passwd", "passwd"), ("a\\b.png", "b.png"), ("n" * 500, "n" * 100)):
        answer = server.post("/api/predict", files=images(b"broken", names=(given_name,)))
        assert answer.json()["detail"].startswith(f"{shown} is no picture")


def test_a_fault_of_the_program_ends_one_request_alone(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Classifier, questions: Sequence[Question]) -> Sequence[object]:
        raise TypeError("a mistake")

    monkeypatch.setattr(Classifier, "answers", fails)
    client = serve(small_model())
    for _ in range(2):  # the thread of the model goes on
        answer = client.post("/api/predict", files=images(GOOD))
        assert answer.status_code == 500 and "the server failed" in answer.json()["detail"]
        assert "a mistake" not in answer.text
    assert client.get("/api/model").status_code == 200
