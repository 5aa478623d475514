import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bmip.data.batches import EvalBatches
from bmip.data.dataset import DataError, Split, split_hash
from bmip.data.images import FileImages, read_image
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.data.resized_cache import MAPPED, CachedImages
from bmip.data.sampling import split_base_novel
from bmip.data.transforms import centre_square

SIZE = 8


@dataclass(frozen=True, eq=False)
class Counting(FileImages):
    """Image files that note the name of each file that is decoded."""

    decoded: list[str] = field(default_factory=list)

    def square(self, index: int, size: int) -> torch.Tensor:
        self.decoded.append(Path(self.paths[index]).name)
        return super().square(index, size)


@pytest.fixture
def photos(make_folder, tmp_path: Path) -> Counting:
    make_folder("photos", {"cat": 5})
    return Counting(tmp_path / "photos", tuple(f"cat/{index}.png" for index in range(5)))


@pytest.fixture
def decoded(photos: Counting) -> list[str]:
    """The files that were decoded, in order."""
    return photos.decoded


def all_squares(images: FileImages | CachedImages, size: int = SIZE) -> torch.Tensor:
    return torch.stack([images.square(index, size) for index in range(len(images))])


def plain(images: FileImages, size: int = SIZE) -> torch.Tensor:
    return torch.stack([centre_square(images[index], size) for index in range(len(images))])


def test_squares_are_made_once_for_all_processes(photos: FileImages, decoded: list[str], tmp_path: Path) -> None:
    expected = plain(photos)
    decoded.clear()
    first = CachedImages(photos, tmp_path / "squares")
    assert torch.equal(all_squares(first), expected)
    assert len(decoded) == 5
    assert torch.equal(all_squares(first), expected)
    assert torch.equal(all_squares(CachedImages(photos, tmp_path / "squares")), expected)
    assert len(decoded) == 5
    assert torch.equal(first[2], photos[2])
    assert (len(first), first.name(2)) == (5, "cat/2.png")


def test_another_size_and_another_decoding_are_kept_apart(photos: FileImages, tmp_path: Path) -> None:
    cached = CachedImages(photos, tmp_path / "squares")
    for size in (8, 7, 8, 7):
        assert torch.equal(all_squares(cached, size), plain(photos, size))
    all_squares(CachedImages(FileImages(photos.folder, photos.paths, scaled=True), tmp_path / "squares"))
    all_squares(CachedImages(FileImages(photos.folder, photos.paths[:4]), tmp_path / "squares"))
    assert len(list((tmp_path / "squares").glob("*.squares"))) == 4


@pytest.mark.parametrize("name", ["photos.2024", "photos.2024.final", os.fsdecode(b"b\xfccher")])
def test_names_of_folders_do_not_cut_what_tells_caches_apart(make_folder, tmp_path: Path, name: str) -> None:
    for parent, colours in (("one", {"cat": 3}), ("two", {"dog": 3})):
        (tmp_path / parent).mkdir()
        shutil.move(make_folder("photos", colours), tmp_path / parent / name)
    folders = [
        FileImages(tmp_path / parent / name, (f"{kind}/0.png",)) for parent, kind in (("one", "cat"), ("two", "dog"))
    ]
    for size in (8, 7, 8, 7):
        for images in folders:
            assert torch.equal(all_squares(CachedImages(images, tmp_path / "squares"), size), plain(images, size))
    assert len(list((tmp_path / "squares").iterdir())) == 8


@pytest.mark.parametrize("keep", ["size", "time", "neither"])
def test_an_image_that_changed_is_decoded_again(
    photos: FileImages, decoded: list[str], tmp_path: Path, picture, keep: str
) -> None:
    cached = CachedImages(photos, tmp_path / "squares")
    before = all_squares(cached)
    file = photos.folder / "cat/3.png"
    state = file.stat()
    if keep == "size":  # other pixels of the same length
        file.write_bytes((photos.folder / "cat/4.png").read_bytes())
        if file.stat().st_size != state.st_size:
            file.write_bytes(file.read_bytes() + b"\0" * (state.st_size - file.stat().st_size))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1000))
    else:
        picture(77, 30, 20).save(file)
        if keep == "time":
            os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    decoded.clear()
    after = all_squares(cached)
    assert decoded == ["3.png"]
    assert [bool((a == b).all()) for a, b in zip(before, after, strict=True)] == [True] * 3 + [False, True]
    decoded.clear()
    assert torch.equal(all_squares(CachedImages(photos, tmp_path / "squares")), after)
    assert decoded == []


def test_damage_to_the_cache_is_noticed(photos: FileImages, decoded: list[str], tmp_path: Path) -> None:
    expected = all_squares(CachedImages(photos, tmp_path / "squares"))
    (file,) = (tmp_path / "squares").glob("*.squares")
    content = bytearray(file.read_bytes())
    content[3 * 3 * SIZE * SIZE + 5] ^= 1
    file.write_bytes(bytes(content))
    decoded.clear()
    assert torch.equal(all_squares(CachedImages(photos, tmp_path / "squares")), expected)
    assert decoded == ["3.png"]
    file.write_bytes(file.read_bytes()[:100])
    (origins,) = (tmp_path / "squares").glob("*.origins")
    assert torch.equal(all_squares(CachedImages(photos, tmp_path / "squares")), expected)
    origins.write_bytes(b"")
    assert torch.equal(all_squares(CachedImages(photos, tmp_path / "squares")), expected)


def test_without_room_or_leave_to_write_everything_is_decoded(photos: FileImages, tmp_path: Path) -> None:
    expected = plain(photos)
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "full"):
        cached = CachedImages(photos, folder, free=lambda folder: 100)
        for _ in range(2):
            assert torch.equal(all_squares(cached), expected)
    assert not list((tmp_path / "full").glob("*"))


def test_a_disk_that_fills_up_does_no_harm(
    photos: FileImages, decoded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = plain(photos)
    cached = CachedImages(photos, tmp_path / "squares")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    cached.square(0, SIZE)
    monkeypatch.setattr(os, "pwrite", full)
    decoded.clear()
    assert torch.equal(all_squares(cached), expected)
    assert decoded == [f"{index}.png" for index in range(1, 5)]


def test_threads_and_two_owners_at_once(photos: FileImages, tmp_path: Path) -> None:
    expected = plain(photos)
    owners = [CachedImages(photos, tmp_path / "squares") for _ in range(2)]
    wrong: list[int] = []

    def work(seed: int) -> None:
        for index in np.random.default_rng(seed).integers(0, 5, MAPPED).tolist():
            if not torch.equal(owners[seed % 2].square(index, SIZE), expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_missing_image_is_named(photos: FileImages, tmp_path: Path) -> None:
    cached = CachedImages(photos, tmp_path / "squares")
    all_squares(cached)
    (photos.folder / "cat/3.png").unlink()
    with pytest.raises(DataError, match=r"3\.png does not exist"):
        all_squares(cached)


def test_judging_reads_squares_through_a_choice_of_images(
    photos: FileImages, decoded: list[str], tmp_path: Path
) -> None:
    expected = plain(photos)
    split = Split(CachedImages(photos, tmp_path / "squares"), (0, 1, 2, 3, 4)).take([4, 2, 0])
    decoded.clear()
    for _ in range(3):
        (batch,) = [pixels for pixels, _ in EvalBatches(split, SIZE, held_bytes=0)]
        assert torch.equal(batch, expected[[4, 2, 0]])
    assert len(decoded) == 3


def test_test_images_of_a_folder_are_kept(make_folder, tmp_path: Path) -> None:
    folder = make_folder("pets", dict.fromkeys(("a", "b", "c", "d"), 10))
    for _ in range(2):
        for half in split_base_novel(load_dataset(str(folder), ReadConfig(cache=str(tmp_path / "kept")))):
            list(EvalBatches(half.test, SIZE, held_bytes=0))
    assert len(list((tmp_path / "kept/squares").iterdir())) == 2
    shutil.rmtree(tmp_path / "kept")
    dataset = load_dataset(str(folder), ReadConfig(cache=str(tmp_path / "kept"), cache_images=False))
    list(EvalBatches(dataset.test, SIZE, held_bytes=0))
    assert not (tmp_path / "kept").exists()


# scaled decoding


@pytest.fixture
def jpeg(tmp_path: Path) -> FileImages:
    smooth = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(smooth).resize((640, 480), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=95)
    return FileImages(tmp_path, ("a.jpg",), scaled=True)


@pytest.mark.parametrize(
    ("at_least", "shape"), [(1, (60, 80)), (100, (120, 160)), (121, (240, 320)), (241, (480, 640))]
)
def test_no_side_gets_too_short(jpeg: FileImages, at_least: int, shape: tuple[int, int]) -> None:
    assert read_image(jpeg.folder / "a.jpg", at_least=at_least).shape[1:] == shape


def test_scaled_decoding_is_nearly_the_same_and_counts_as_another_data_set(jpeg: FileImages) -> None:
    whole = FileImages(jpeg.folder, jpeg.paths)
    difference = (jpeg.square(0, 64).int() - whole.square(0, 64).int()).abs()
    assert 0 < difference.float().mean() < 2
    assert torch.equal(whole.square(0, 64), centre_square(whole[0], 64))
    assert torch.equal(jpeg[0], whole[0])


def test_the_split_hash_says_that_decoding_is_scaled(make_folder) -> None:
    folder = str(make_folder("pets", {"a": 4, "b": 4}))
    hashes = {
        split_hash(load_dataset(folder, ReadConfig(scaled_decoding=scaled, cache_images=kept)))
        for scaled in (True, False)
        for kept in (True, False)
    }
    assert len(hashes) == 2
