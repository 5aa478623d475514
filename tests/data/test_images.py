import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bmip.data.dataset import DataError, Images
from bmip.data.images import FileImages, check_image, image_files, read_heic_too, read_image

RED, WHITE, GREY = (255, 0, 0), (255, 255, 255), (128, 128, 128)


def colour(path: Path, row: int = 2, column: int = 2) -> tuple[int, ...]:
    """One pixel as read; the file passes the check too."""
    assert check_image(path) is None
    return tuple(read_image(path)[:, row, column].tolist())


def close(found: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 4) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.gif", "a.webp", "a.tif", "a.ppm"])
def test_the_usual_kinds(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (20, 10), RED).save(tmp_path / name)
    image = read_image(tmp_path / name)
    assert (image.shape, image.dtype) == ((3, 10, 20), torch.uint8)
    assert close(colour(tmp_path / name), RED)


@pytest.mark.parametrize(("mode", "value"), [("L", 128), ("1", 1), ("LA", (128, 255))])
def test_greyscale_gets_three_channels(tmp_path: Path, mode: str, value: int) -> None:
    Image.new(mode, (6, 6), value).save(tmp_path / "a.png")
    assert colour(tmp_path / "a.png") == (WHITE if mode == "1" else GREY)


def test_palette(tmp_path: Path) -> None:
    Image.new("RGB", (6, 6), RED).quantize(4).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
    assert colour(tmp_path / "a.png") == RED


def test_transparent_palette_of_a_gif_lies_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (6, 6), 1)
    image.putpalette([0, 0, 0, *RED, 0, 0, 255])
    image.paste(2, (3, 0, 6, 6))
    image.save(tmp_path / "a.gif", transparency=1)
    assert colour(tmp_path / "a.gif", 2, 1) == WHITE
    assert colour(tmp_path / "a.gif", 2, 4) == (0, 0, 255)


def test_transparent_palette_with_a_table_of_alphas(tmp_path: Path) -> None:
    image = Image.new("P", (6, 6), 0)
    image.putpalette([*RED, 0, 0, 255])
    image.save(tmp_path / "a.png", transparency=bytes([128, 255]))
    assert close(colour(tmp_path / "a.png"), (255, 127, 127))


@pytest.mark.parametrize(("alpha", "wanted"), [(255, RED), (0, WHITE), (128, (255, 127, 127))])
def test_alpha_lies_on_white(tmp_path: Path, alpha: int, wanted: tuple[int, ...]) -> None:
    Image.new("RGBA", (6, 6), (*RED, alpha)).save(tmp_path / "a.png")
    assert close(colour(tmp_path / "a.png"), wanted)


def test_a_colour_declared_transparent(tmp_path: Path) -> None:
    Image.new("RGB", (6, 6), RED).save(tmp_path / "a.png", transparency=RED)
    assert colour(tmp_path / "a.png") == WHITE


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk(tmp_path: Path, name: str) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / name)
    assert close(colour(tmp_path / name), RED)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_scaled_and_not_cut(tmp_path: Path, name: str) -> None:
    values = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / name)
    assert [colour(tmp_path / name, 0, column)[0] for column in range(4)] == [0, 1, 128, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path: Path, orientation: int) -> None:
    """Stored so that, turned by its tag, the picture is wide with a red block at the upper left."""
    upright = Image.new("RGB", (32, 16), WHITE)
    upright.paste(RED, (0, 0, 16, 8))
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # from upright to stored, in Pillow's numbers
    stored = upright.transpose(Image.Transpose(turn[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    image = read_image(tmp_path / "a.jpg")
    assert image.shape == (3, 16, 32)
    assert close(colour(tmp_path / "a.jpg", 3, 6), RED, 12)
    assert close(colour(tmp_path / "a.jpg", 12, 26), WHITE, 12)


def test_broken_exif_does_not_matter(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), RED).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff")
    assert close(colour(tmp_path / "a.jpg"), RED)


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), shade) for shade in (RED, (0, 0, 255))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert colour(tmp_path / "a.gif") == RED


def bad_files(folder: Path) -> dict[str, str]:
    """Writes one of each and says what the error must contain."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for suffix in ("jpg", "png", "gif", "webp"):
        noise.save(folder / f"whole.{suffix}")
        content = (folder / f"whole.{suffix}").read_bytes()
        (folder / f"cut.{suffix}").write_bytes(content[: len(content) * 2 // 3])
    (folder / "head.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:20])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "folder.jpg").mkdir()
    Image.fromarray(np.array([[0.5, 3.0]], dtype=np.float32)).save(folder / "float.tif")
    Image.fromarray(np.array([[0, 255]], dtype=np.int32)).save(folder / "integers.tif")
    return {
        **{f"cut.{suffix}": "cannot be read" for suffix in ("jpg", "png", "gif")},
        "cut.webp": "",
        "head.jpg": "",
        "empty.jpg": "is empty",
        "text.jpg": "is not an image",
        "folder.jpg": "is a folder",
        "float.tif": "signed or 32-bit values",
        "integers.tif": "signed or 32-bit values",
        "absent.jpg": "does not exist",
    }


def test_bad_files_are_named_with_the_reason(tmp_path: Path) -> None:
    for name, reason in bad_files(tmp_path).items():
        with pytest.raises(DataError) as error:
            read_image(tmp_path / name)
        assert str(tmp_path / name) in str(error.value)
        assert reason in str(error.value)
        assert check_image(tmp_path / name) == str(error.value)


def test_heic_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phones also write it under the suffix of a JPEG."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(Image, "ID", [name for name in Image.ID if name != "HEIF"])  # others may have asked for it
    read_heic_too.cache_clear()
    assert image_files(["IMG_1.HEIC"]) == ["IMG_1.HEIC"]
    for name in ("a.heic", "b.jpg"):
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
        with pytest.raises(DataError, match=r"it is HEIC, which needs a package: pip install 'bmip\[heic\]'"):
            read_image(tmp_path / name)


def test_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.new("RGB", (20, 10), RED)).save(tmp_path / "a.heic")
    assert read_image(tmp_path / "a.heic").shape == (3, 10, 20)
    assert close(colour(tmp_path / "a.heic"), RED)


def test_files_are_images_named_by_their_path(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (5, 7), RED).save(tmp_path / "cat" / "1.png")
    images = FileImages(tmp_path, ("cat/1.png",))
    assert isinstance(images, Images)
    assert (len(images), images.name(0), images[0].shape) == (1, "cat/1.png", (3, 7, 5))


def test_which_names_look_like_images() -> None:
    assert image_files(["a.JPG", "b.txt", "c.png", "d", "._a.JPG", "cat/.c.png"]) == ["a.JPG", "c.png"]


@pytest.mark.parametrize("suffix", [".apng", ".avif", ".bmp", ".jp2", ".pnm", ".tga", ".tiff", ".webp"])
def test_what_pillow_writes_counts_as_an_image_by_its_ending(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"picture{suffix.upper()}"
    if suffix not in Image.registered_extensions():
        pytest.skip(f"this Pillow has no {suffix}")
    Image.new("RGB", (12, 9), (200, 30, 40)).save(file)
    assert image_files([file.name, "notes.txt"]) == [file.name]
    assert read_image(file).shape == (3, 9, 12)
