import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from bmip.data.dataset import DataError
from bmip.data.public import downloads, prepare
from bmip.data.public.archive import SUFFIXES
from bmip.data.public.downloads import ORIGINS, Download, Origin
from bmip.data.public.prepare import plan, to_do
from bmip.data.public.registry import PUBLIC, REMOTE_SENSING
from tests.cli.conftest import Cli, cache, cli, here
from tests.cli.test_examples import run_page
from tests.data.public.server import Site, serving
from tests.data.public.test_archive import packed

__all__ = ["cache", "cli", "here"]

DTD = PUBLIC["dtd"]


@pytest.fixture
def site(tmp_path: Path, jpeg: bytes) -> Iterator[Site]:
    """Serves a small archive of DTD."""
    files = {f"dtd/images/{name}/{name}_{index}.jpg": jpeg for name in ("banded", "woven") for index in range(4)}
    archive = packed(tmp_path / "dtd.tar.gz", {**files, "dtd/labels/labels.txt": b""}).read_bytes()
    (tmp_path / "dtd.tar.gz").unlink()
    with serving() as site:
        site.files["/dtd-r1.0.1.tar.gz"] = archive
        yield site


@pytest.fixture
def origin(site: Site) -> Origin:
    """The origin of DTD, with the small archive and its checksum in place of the published ones."""
    archive = site.files["/dtd-r1.0.1.tar.gz"]
    checksum = f"md5:{hashlib.md5(archive).hexdigest()}"
    link = Download(f"{site.address}/dtd-r1.0.1.tar.gz", len(archive), ("images",), "", "dtd", checksum)
    return replace(ORIGINS["dtd"], downloads=(link,))


def run(origin: Origin, root: Path, name: str = "dtd", note: Callable[[str], None] = lambda text: None) -> list[str]:
    """The names of the files that are fetched."""
    started: list[str] = []

    def fetching_one(file: str):
        started.append(file)
        return lambda done, total: None

    prepare.prepare(PUBLIC[name], origin, root, fetching_one, note=note, pause=0.0)
    return started


def test_it_is_fetched_unpacked_and_put_in_place(site: Site, origin: Origin, tmp_path: Path) -> None:
    site.breaks_after, notes = [150], []
    assert run(origin, tmp_path / "data", note=notes.append) == ["dtd-r1.0.1.tar.gz"]
    assert "150 bytes are there: trying again" in notes[0]
    assert site.asked[1] == "bytes=150-"
    folder = tmp_path / "data/dtd"
    assert sorted(entry.name for entry in folder.iterdir()) == [".preparing.lock", "images", "labels"]
    assert len(list((folder / "images").rglob("*.jpg"))) == 8
    assert run(origin, tmp_path / "data") == []


def test_an_interruption_leaves_what_there_is(site: Site, origin: Origin, tmp_path: Path) -> None:
    site.breaks_after = [150] + [0] * 20
    with pytest.raises(DataError, match="150 bytes are there: call again to go on"):
        run(origin, tmp_path / "data")
    assert not (tmp_path / "data/dtd/images").exists()
    site.breaks_after = []
    run(origin, tmp_path / "data")
    assert (tmp_path / "data/dtd/images").is_dir()


def test_two_at_once_do_not_meet(site: Site, origin: Origin, tmp_path: Path) -> None:
    folder = tmp_path / PUBLIC["dtd"].folder
    (folder / ".unpacking-x").mkdir(parents=True)
    with FileLock(folder / ".preparing.lock"), pytest.raises(DataError, match=r"another bmip prepares .*dtd"):
        run(origin, tmp_path)
    assert site.asked == [] and (folder / ".unpacking-x").exists()
    run(origin, tmp_path)
    assert not (folder / ".unpacking-x").exists()


def test_what_only_a_person_can_get_is_said(site: Site, origin: Origin, tmp_path: Path) -> None:
    said = list(plan(DTD, origin, tmp_path))
    for part in (site.address, "split_zhou_DescribableTextures.json must be put", "licence", downloads.HUB):
        assert any(part in sentence for sentence in said), part
    assert any("1u3_QfB467jqHgNXC00UIzbLZRQCg2S7x" in sentence for sentence in to_do(DTD, origin, tmp_path))
    run(origin, tmp_path)
    assert to_do(DTD, origin, tmp_path)
    (tmp_path / "dtd/split_zhou_DescribableTextures.json").write_text("{}")
    assert to_do(DTD, origin, tmp_path) == []
    assert "images: there already" in list(plan(DTD, origin, tmp_path))


def test_the_hub_has_one_archive_for_each_set(tmp_path: Path) -> None:
    (said,) = [
        sentence for sentence in to_do(PUBLIC["food101"], ORIGINS["food101"], tmp_path) if downloads.HUB in sentence
    ]
    command = f"hf download {downloads.HUB} --repo-type model --include food101.zip --local-dir {tmp_path}"
    assert said == f"or all of it from the hub: {command}, and unpack {tmp_path / 'food101.zip'} into {tmp_path}"
    without = [known.name for known in REMOTE_SENSING] + ["imagenet"]
    archives = [origin.archive for name, origin in ORIGINS.items() if name not in without]
    assert None not in archives and len(set(archives)) == len(archives) == len(PUBLIC) - len(without)


def needed(name: str, root: Path) -> list[str]:
    return next(plan(PUBLIC[name], ORIGINS[name], root)).partition(" needs ")[2].split(", ")


@pytest.mark.parametrize("name", PUBLIC)
def test_what_must_be_done_by_hand_is_never_left_open(name: str, tmp_path: Path) -> None:
    """Whatever is there, one part or all but one."""
    folder, parts = tmp_path / PUBLIC[name].folder, needed(name, tmp_path)
    for there in [[], *([part] for part in parts), *([part for part in parts if part != gone] for gone in parts)]:
        for part in there:
            (folder / part).mkdir(parents=True)
        assert len(to_do(PUBLIC[name], ORIGINS[name], tmp_path)) != 1
        shutil.rmtree(tmp_path)


def test_one_file_of_an_archive_does_not_stand_for_the_rest(tmp_path: Path, jpeg: bytes) -> None:
    lists = ("variants.txt", "images_variant_train.txt", "images_variant_val.txt", "images_variant_test.txt")
    files = {"fgvc/data/images/1.jpg": jpeg, **{f"fgvc/data/{name}": b"new" for name in lists}}
    archive = packed(tmp_path / "fgvc.tar.gz", files).read_bytes()
    folder = tmp_path / "data/fgvc_aircraft"
    folder.mkdir(parents=True)
    (folder / "variants.txt").write_text("own")
    with serving() as site:
        site.files["/fgvc.tar.gz"] = archive
        (link,) = ORIGINS["fgvc_aircraft"].downloads
        link = replace(link, url=f"{site.address}/fgvc.tar.gz", checksum=None, inside="fgvc/data")
        origin = replace(ORIGINS["fgvc_aircraft"], downloads=(link,))
        said = list(plan(PUBLIC["fgvc_aircraft"], origin, tmp_path / "data"))
        assert any(sentence.startswith(f"images, {', '.join(lists[1:])}: http") for sentence in said)
        assert run(origin, tmp_path / "data", "fgvc_aircraft") == ["fgvc.tar.gz"]
    assert sorted(entry.name for entry in folder.iterdir()) == sorted([".preparing.lock", "images", *lists])
    assert (folder / "variants.txt").read_text() == "own"
    (partitions,) = [link for link in ORIGINS["sun397"].downloads if "ClassName.txt" in link.gives]
    assert set(partitions.gives) == {"ClassName.txt", "Training_01.txt", "Testing_01.txt"}


def test_imagenet_explains_itself(tmp_path: Path) -> None:
    said = " ".join(plan(PUBLIC["imagenet"], ORIGINS["imagenet"], tmp_path))
    for part in ("register at https://image-net.org", "images/val/WNID/", "1-61f_ol79pViBFDG_IDlUQSwoLcn2XXF"):
        assert part in said
    assert downloads.HUB not in said
    assert run(ORIGINS["imagenet"], tmp_path, "imagenet") == []


def test_the_variants_take_the_class_names_of_imagenet(tmp_path: Path) -> None:
    origin = replace(ORIGINS["imagenet_r"], downloads=())
    run(origin, tmp_path, "imagenet_r")
    assert not list(tmp_path.iterdir())
    (tmp_path / "imagenet").mkdir()
    (tmp_path / "imagenet/classnames.txt").write_text("n01440764 tench\n")
    run(origin, tmp_path, "imagenet_r")
    assert (tmp_path / "imagenet-rendition/classnames.txt").read_text() == "n01440764 tench\n"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_set_says_what_it_needs(name: str, tmp_path: Path) -> None:
    known, origin = PUBLIC[name], ORIGINS[name]
    said = list(plan(known, origin, tmp_path))
    assert str(tmp_path / known.folder) in said[0]
    for file in (known.split_file, *(file for file, _ in origin.drive)):
        assert file is None or any(file in sentence for sentence in said)
    for download in origin.downloads:
        assert download.into is None or download.url.endswith(SUFFIXES)
        assert download.checksum is None or len(download.checksum) == 4 + 32
        assert download.size > 0
    assert (origin.drive or name in ("fgvc_aircraft",)) or origin is downloads.BY_HAND


def test_the_lines_of_the_readme(jpeg: bytes, cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a small archive of four classes in the place of the published one."""
    classes, parts = ("banded", "dotted", "woven", "zigzagged"), {"train": range(2), "val": [2], "test": [3]}
    split = {
        part: [[f"{name}/{index}.jpg", label, name] for label, name in enumerate(classes) for index in own]
        for part, own in parts.items()
    }
    (here / "data" / "dtd").mkdir(parents=True)
    (here / "data" / "dtd" / "split_zhou_DescribableTextures.json").write_text(json.dumps(split))
    files = {f"dtd/images/{name}/{index}.jpg": jpeg for name in classes for index in range(4)}
    with serving() as site:
        site.files["/dtd.tar.gz"] = packed(here / "dtd.tar.gz", files).read_bytes()
        link = Download(f"{site.address}/dtd.tar.gz", len(site.files["/dtd.tar.gz"]), ("images",), "", "dtd", None)
        monkeypatch.setitem(ORIGINS, "dtd", replace(ORIGINS["dtd"], downloads=(link,)))
        monkeypatch.setitem(PUBLIC, "dtd", replace(DTD, classes=4, counts=(8, 4, 4)))
        prepared, checked, ran = run_page(cli, "README.md", first="## The public", until="## Faithful").values()
    assert "dtd is in place" in prepared and "0 faults found" in checked and "harmonic mean" in ran


def test_the_command(origin: Origin, tmp_path: Path, capfd, monkeypatch: pytest.MonkeyPatch) -> None:
    from bmip.cli import main

    monkeypatch.setitem(ORIGINS, "dtd", origin)
    monkeypatch.setitem(PUBLIC, "dtd", replace(DTD, classes=2, counts=(4, 2, 2)))
    given = ["data", "prepare", "dtd", "--root", str(tmp_path / "data")]
    assert main([*given, "--plan"]) == 0
    assert not (tmp_path / "data").exists()
    assert main(given) == 1
    out, _ = capfd.readouterr()
    assert "split_zhou_DescribableTextures.json must be put into" in out
    stream = random.Random(0)
    parts: dict[str, list] = {"train": [], "val": [], "test": []}
    for label, name in enumerate(("banded", "woven")):
        for index, part in zip(stream.sample(range(4), 4), ("train", "train", "val", "test"), strict=True):
            parts[part].append([f"{name}/{name}_{index}.jpg", label, name])
    (tmp_path / "data/dtd/split_zhou_DescribableTextures.json").write_text(json.dumps(parts))
    assert main(given) == 0
    assert "dtd is in place" in capfd.readouterr().out
    assert main(["data", "prepare", "dtt", "--root", "x"]) == 2
    assert "did you mean 'dtd'" in capfd.readouterr().err
    assert main(["data", "prepare", "digits", "--root", "x"]) == 2
