"""`bmip data` on small trees, sound and damaged."""

import hashlib
import json
import os
import pickle
import random
import shutil
import sys
import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bmip.data.dataset import split_hash
from bmip.data.load import load_dataset
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from tests.cli.conftest import Cli
from tests.small import SMALL

CLASSES = ("banded", "dotted", "striped", "woven")
SPLIT = "data/dtd/split_zhou_DescribableTextures.json"


def jpeg(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(noise).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def textures(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`data/dtd` with four classes, as if those were all that are published; returns the folder of images."""
    monkeypatch.setitem(PUBLIC, "dtd", replace(PUBLIC["dtd"], classes=4, counts=(12, 4, 8)))
    images = here / "data/dtd/images"
    parts: dict[str, list] = {"train": [], "val": [], "test": []}
    for label, name in enumerate(CLASSES):
        (images / name).mkdir(parents=True)
        for index in range(6):
            (images / name / f"{name}_{index}.jpg").write_bytes(jpeg(10 * label + index))
            part = "train" if index < 3 else "val" if index < 4 else "test"
            parts[part].append([f"{name}/{name}_{index}.jpg", label, name])
    Path(SPLIT).write_text(json.dumps(parts))
    return images


def test_the_list_has_the_public_sets(cli: Cli) -> None:
    listed = cli("data", "list").out
    for known in PUBLIC.values():
        assert known.name in listed
    assert "a centered satellite photo of {}." in listed


def test_a_sound_data_set(cli: Cli, textures: Path) -> None:
    found = cli("data", "check", "dtd", "--root", "data", "--shots", "2", "--seeds", "1", "2", "--write-shots", "shots")
    assert found.status == 0, found.err
    assert "dtd: 0 faults found" in found.out
    for label, name in enumerate(CLASSES):
        (row,) = [line.split() for line in found.out.splitlines() if f" {name} " in line]
        assert row == [str(label), name, "3", "1", "2"]
    for seed in (1, 2):
        written = Path(f"shots/dtd-shot_2-seed_{seed}.jsonl").read_bytes()
        assert hashlib.sha256(written).hexdigest() in found.out
        drawn = [line["path"] for line in map(json.loads, written.splitlines()) if line["split"] == "train"]
        listed = json.loads(Path(SPLIT).read_text())["train"]
        stream = random.Random(seed)
        assert drawn == [
            path for label in range(4) for path, *_ in stream.sample([item for item in listed if item[1] == label], 2)
        ]
    assert not list(textures.parent.glob("split_bmip*"))


def test_the_hash_of_the_split_is_that_of_the_split(cli: Cli, textures: Path) -> None:
    told = json.loads(cli("data", "check", "dtd", "--root", "data", "--json").out)
    assert told["counts"]["train"] == dict.fromkeys(CLASSES, 3)
    Path(SPLIT).write_text(
        json.dumps({part: items[::-1] for part, items in json.loads(Path(SPLIT).read_text()).items()})
    )
    assert json.loads(cli("data", "check", "dtd", "--root", "data", "--json").out)["split_hash"] != told["split_hash"]


def test_every_fault_of_a_damaged_tree_is_named(cli: Cli, textures: Path) -> None:
    for path in ("banded/banded_0.jpg", "dotted/dotted_5.jpg"):
        (textures / path).unlink()
    (textures / "striped/striped_1.jpg").write_bytes(jpeg(3)[:200])
    (textures / "striped/striped_3.jpg").write_bytes(b"")
    (textures / "woven/woven_4.jpg").write_text("<html>not found</html>")
    (textures / "woven/new.jpg").write_bytes(jpeg(99))
    shutil.copy(textures / "banded/banded_1.jpg", textures / "banded/banded_4.jpg")
    listed = json.loads(Path(SPLIT).read_text())
    listed["val"].pop()
    Path(SPLIT).write_text(json.dumps(listed))
    (textures.parent / "split_fewshot").mkdir()
    (textures.parent / "split_fewshot/shot_16-seed_1.pkl").write_bytes(pickle.dumps({"train": [print]}))
    (textures.parent / "split_fewshot/shot_16-seed_2.pkl").write_bytes(pickle.dumps([]))
    found = cli("data", "check", "dtd", "--root", "data")
    assert found.status == 1
    faults = [line for line in found.out.splitlines() if line.startswith("fault: ")]
    expected = [
        "banded/banded_0.jpg does not exist",
        "dotted/dotted_5.jpg does not exist",
        "striped/striped_1.jpg cannot be read",
        "striped/striped_3.jpg is empty",
        "woven/woven_4.jpg is not an image",
        "dtd has 3 val images, and 4 are published",
        "shot_16-seed_1.pkl is no few-shot draw (it names builtins.print",
        "shot_16-seed_2.pkl holds no list of training images",
    ]
    for part in expected:
        assert sum(part in fault for fault in faults) == 1, part
    assert len(faults) == len(expected)
    assert "2 images below" in found.err
    assert "banded/banded_1.jpg = banded/banded_4.jpg" in found.err
    told = json.loads(cli("data", "check", "dtd", "--root", "data", "--json").out)
    assert told["faults"] == [fault.removeprefix("fault: ") for fault in faults]


def test_stored_draws_are_compared_with_ones_own(cli: Cli, textures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("data", "check", "dtd", "--root", "data", "--shots", "2", "--seeds", "1", "2", "--write-shots", "shots")
    assert "another draw" not in cli(*given).err
    module = ModuleType("dassl.data.datasets.base_dataset")
    for name in ("dassl", "dassl.data", "dassl.data.datasets"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    datum: Any = type("Datum", (), {"__module__": module.__name__})
    module.Datum = datum  # type: ignore[attr-defined]
    (textures.parent / "split_fewshot").mkdir()
    for seed, order in ((1, 1), (2, -1)):
        parts: dict[str, list] = {"train": [], "val": []}
        for line in Path(f"shots/dtd-shot_2-seed_{seed}.jsonl").read_text().splitlines()[::order]:
            said, image = json.loads(line), datum()
            image.__dict__.update(_impath=f"/x/{said['path']}", _label=said["label"], _domain=0, _classname="")
            parts[said["split"]].append(image)
        (textures.parent / f"split_fewshot/shot_2-seed_{seed}.pkl").write_bytes(pickle.dumps(parts))
    before = {seed: Path(f"shots/dtd-shot_2-seed_{seed}.jsonl").read_bytes() for seed in (1, 2)}
    found = cli(*given)
    assert found.status == 0, found.out
    assert found.err.count("another draw") == 1
    assert "shot_2-seed_2.pkl holds another draw" in found.err
    assert Path("shots/dtd-shot_2-seed_1.jsonl").read_bytes() == before[1]
    assert Path("shots/dtd-shot_2-seed_2.jsonl").read_bytes() != before[2]


def test_classes_of_one_name(cli: Cli, textures: Path) -> None:
    Path(SPLIT).write_text(Path(SPLIT).read_text().replace('"dotted"', '"banded"'))
    found = cli("data", "check", "dtd", "--root", "data")
    assert found.status == 1
    assert "class names occur more than once: 'banded'" in found.out


def test_a_damaged_split_does_not_hide_damaged_images(cli: Cli, textures: Path) -> None:
    Path(SPLIT).write_text(Path(SPLIT).read_text()[:100])
    (textures / "woven/woven_4.jpg").write_bytes(b"")
    found = cli("data", "check", "dtd", "--root", "data")
    assert found.status == 1
    assert "split_zhou_DescribableTextures.json is no list of splits" in found.out
    assert "woven_4.jpg is empty" in found.out
    assert "2 faults found" in found.out


def test_without_the_published_split_nothing_is_written(cli: Cli, textures: Path) -> None:
    Path(SPLIT).unlink()
    found = cli("data", "check", "dtd", "--root", "data")
    assert found.status == 0, found.out
    assert "a new one will be drawn, which is not the published split" in found.err
    assert [entry.name for entry in textures.parent.iterdir()] == ["images"]


def test_pillows_warnings_stay_off_the_terminal(cli: Cli, photos: Path) -> None:
    Image.new("RGB", (16, 16)).save(photos / "red/odd.jpg", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        found = cli("data", "check", "photos")
    assert (found.status, [str(warning.message) for warning in shown]) == (0, [])


def test_what_cannot_be_looked_at(cli: Cli, here: Path) -> None:
    for given, part in (([], "--root DIR"), (["--root", "nowhere"], "the root nowhere does not exist")):
        found = cli("data", "check", "dtd", *given)
        assert found.status == 2
        assert part in found.err


def test_a_folder_of_ones_own(cli: Cli, photos: Path) -> None:
    assert cli("data", "check", "photos").status == 0
    (photos / "red/00.png").write_text("nothing")
    found = cli("data", "check", "photos")
    assert found.status == 1
    assert "red/00.png" in found.out


def test_a_check_of_ones_own_writes_nothing_and_finds_the_same_again(cli: Cli, photos: Path) -> None:
    (photos / "red/00.png").write_text("nothing")
    (photos / "blue/01.png").write_bytes(b"")
    shutil.copy(photos / "red/02.png", photos / "green/copy.png")
    before = sorted(photos.rglob("*"))
    first = cli("data", "check", "photos")
    faults = [line for line in first.out.splitlines() if line.startswith("fault: ")]
    assert first.status == 1
    for part in ("red/00.png is not an image", "blue/01.png is empty", "the same file in different classes"):
        assert sum(part in fault for fault in faults) == 1, part
    assert len(faults) == 3
    assert "no split is written down" in first.err
    assert sorted(photos.rglob("*")) == before
    assert cli("data", "check", "photos").out == first.out


def test_what_a_written_split_leaves_out_is_looked_at_too(cli: Cli, photos: Path) -> None:
    (photos / "red/00.png").write_text("nothing")
    load_dataset("photos", ReadConfig(skip_bad_images=True))
    listed = json.loads((photos / "split.json").read_text())
    gone = [path for path, *_ in listed["train"][:6]]
    for path in gone:
        (photos / path).unlink()
    found = cli("data", "check", "photos")
    for path in ("red/00.png", *gone):
        assert f"fault: photos/{path} " in found.out
    listed["test"] += [["red/00.png", 99, "beige"], listed["test"][0], ["/etc/x.png", 0, "red"]]
    (photos / "split.json").write_text(json.dumps(listed))
    found = cli("data", "check", "photos")
    for part in ("labelled 99 'beige'", "in test and again in test", "'/etc/x.png' leads out", *gone):
        assert part in found.out


def test_folders_that_cannot_be_listed(cli: Cli, textures: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, real = {"photos/red/more", "data/dtd/images/woven"}, os.scandir
    (photos / "red/more").mkdir()

    def scandir(place: str | Path = "."):
        if os.path.relpath(place) in closed:
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    (photos / "blue/01.png").write_bytes(b"")
    for name, more in (("photos", "blue/01.png is empty"), ("dtd", "")):
        found = cli("data", "check", name, "--root", "data")
        assert (found.status, found.out.count("cannot be read (Permission denied): allow reading it")) == (1, 1), found
        assert more in found.out
    trained = cli("train", "--data", "photos", "--out", "run")
    assert trained.status == 2 and "the folder photos/red/more cannot be read" in trained.err


def test_files_that_may_not_be_read(cli: Cli, textures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so here the system says what it would say to others."""
    assert cli("data", "check", "dtd", "--root", "data").status == 0
    closed, access, opened = "banded/banded_0.jpg", os.access, open

    def opening(place: Any, *more: Any, **named: Any) -> Any:
        if str(place).endswith(closed):
            raise PermissionError(13, "Permission denied", str(place))
        return opened(place, *more, **named)

    monkeypatch.setattr(os, "access", lambda place, mode: not str(place).endswith(closed) and access(place, mode))
    for module in ("builtins", "io"):
        monkeypatch.setattr(f"{module}.open", opening)
    (textures / "woven/woven_4.jpg").write_bytes(b"")
    found = cli("data", "check", "dtd", "--root", "data")
    assert "banded_0.jpg cannot be read (Permission denied)" in found.out
    assert "woven_4.jpg is empty" in found.out


def test_folders_in_the_place_of_files(cli: Cli, textures: Path) -> None:
    for name in ("banded_1.jpg", "banded_2.jpg"):
        (textures / "banded" / name).unlink()
        (textures / "banded" / name).mkdir()
    (textures.parent / "split_fewshot/shot_2-seed_1.pkl").mkdir(parents=True)
    found = cli("data", "check", "dtd", "--root", "data")
    assert found.out.count("is a folder, not an image") == 2, found.err


def test_a_class_without_images_is_named(cli: Cli, textures: Path) -> None:
    listed = json.loads(Path(SPLIT).read_text())
    listed["test"] = [item for item in listed["test"] if item[2] != "woven"]
    Path(SPLIT).write_text(json.dumps(listed))
    assert "dtd has no test images of 'woven'" in cli("data", "check", "dtd", "--root", "data").out


def test_the_seed_of_a_split_that_would_be_drawn(cli: Cli, textures: Path) -> None:
    Path(SPLIT).unlink()
    given = ("data", "check", "dtd", "--root", "data", "--json", "--split-seed")
    told = {seed: json.loads(cli(*given, seed).out)["split_hash"] for seed in ("1", "7")}
    assert told["1"] != told["7"] == split_hash(load_dataset("dtd", ReadConfig(root="data", split_seed=7)))


def test_public_sets_have_names_of_their_own(cli: Cli, textures: Path) -> None:
    Path("names.txt").write_text("a\nb\nc\nd\n")
    found = cli("data", "check", "dtd", "--root", "data", "--class-names", "names.txt")
    assert found.status == 2
    assert "has its own class names" in found.err


def test_training_reads_below_the_root(cli: Cli, textures: Path, backbone: Path) -> None:
    given = ("--data", "dtd", "--root", "data", "--backbone", str(backbone), "--out", "run", *SMALL)
    trained = cli("train", *given, "--method", "maple", "--classes", "base")
    assert trained.status == 0, trained.err
    judged = cli("eval", "run", "--root", "data", "--classes", "novel", "--json")
    assert json.loads(judged.out)["total"] == 4, judged.err
    assert not Path("kept").exists()
    again = cli("eval", "run", "--root", "data", "--classes", "novel", "--json", "--cache", "kept")
    assert again.out == judged.out
    assert len(list(Path("kept/squares").glob("*.squares"))) == 1
    plain = cli("eval", "run", "--root", "data", "--classes", "novel", "--json", "--cache", "none", "--no-cache")
    assert plain.out == judged.out
    assert not Path("none").exists()
    assert cli("eval", "run", "--classes", "novel", "--json").out == judged.out
    Path("data").rename("moved")
    lost = cli("eval", "run")
    assert lost.status == 2
    assert "--root" in lost.err, lost.err
    assert cli("eval", "run", "--root", "moved", "--classes", "novel", "--json").out == judged.out


def test_better_class_names_reach_training(cli: Cli, photos: Path, backbone: Path) -> None:
    Path("names.json").write_text('{"red": "crimson"}')
    given = ("--data", "photos", "--backbone", str(backbone), "--out", "run", "--class-names", "names.json", *SMALL)
    trained = cli("train", *given, "--method", "maple")
    assert trained.status == 0, trained.err
    assert "crimson" in trained.out
    assert "red" not in trained.out.split()
