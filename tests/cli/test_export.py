"""`bmip export` on a small backbone and on photos, and what other programs make of its files."""

import ast
import hashlib
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from jaxtyping import config
from PIL import Image

from bmip import PromptLearner
from bmip.class_names import ClassNames
from bmip.cli import export as command
from bmip.clip.loading.load import load_clip, save_clip
from bmip.clip.tokenizer import Tokenizer
from bmip.data.dataset import DataError
from bmip.data.images import read_image
from bmip.data.load import load_dataset
from bmip.data.transforms import centre_square
from bmip.exporting import to_onnx
from bmip.methods import build_model
from bmip.testing import tiny_clip
from bmip.testing.tiny import COLOURS
from tests.cli.conftest import Cli
from tests.cli.test_examples import USING, run_page
from tests.clip.plain import image_feature
from tests.small import photo_folder

CLASSES = "red,green,a dog"
ALONE = """
import runpy, sys
sys.modules |= dict.fromkeys({without!r})  # an import of these fails
runpy.run_path("example.py", run_name="__main__")
"""


@pytest.fixture(autouse=True, scope="module")
def shapes_are_not_checked() -> Iterator[None]:
    """A traced program has any number of images, and reading this number for a check would fix it."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, a CLIP, and prompts of three methods as they are before training."""
    folder = tmp_path_factory.mktemp("trained")
    photo_folder(folder / "photos")
    save_clip(tiny_clip(tokenizer=Tokenizer.default(), context=40), folder / "clip")
    clip = load_clip(folder / "clip")
    for method, options in (("bmip", {"depth": 2}), ("kgcoop", {}), ("cocoop", {})):
        model = build_model(method, options, clip, ClassNames(tuple(COLOURS)), seed=1)
        model.save_pretrained(folder / method)
    return folder


@pytest.fixture
def inside(trained: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def answers(folder: str, files: list[str], without: tuple[str, ...]) -> dict[str, tuple[str, float]]:
    """What example.py prints: for each image its class and the probability of that."""
    command = [sys.executable, "-c", ALONE.format(without=without), *(str(Path(file).resolve()) for file in files)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {Path(path).name + Path(path).parent.name: (name, float(share)) for path, name, share in rows}


def check_answers(found: dict[str, tuple[str, float]], files: list[str], classes: list[str]) -> None:
    """They are those of bmip; the two ways to resize an image differ by a step of 255."""
    gold = PromptLearner.from_pretrained("bmip", device="cpu").predict_proba(files, classes=classes)
    assert len(found) == len(files) and len({share for _, share in found.values()}) > 3
    for file, row in zip(files, gold, strict=True):
        name, share = found[Path(file).name + Path(file).parent.name]
        assert name == classes[row.argmax()] and abs(share - row.max()) < 0.02


def check_int8(cli: Cli, printed: str) -> None:
    """What was printed of the export in the folder `small` is what its two towers answer."""
    float32, int8 = (Path("small", name) for name in ("image_tower.onnx", "image_tower.int8.onnx"))
    assert int8.stat().st_size < float32.stat().st_size
    assert {"MatMulInteger", "DynamicQuantizeLinear"} <= {node.op_type for node in onnx.load(int8).graph.node}
    weights = [held.raw_data for held in onnx.load(float32).graph.initializer if len(held.raw_data) > 1000]
    assert len(set(weights)) == len(weights)
    said = json.loads(Path("small/export.json").read_text())
    assert (said["image_tower"], said["float32_image_tower"]) == (int8.name, float32.name)

    dataset = load_dataset("pictures/")  # its classes have another order than those of the export
    test, order = dataset.test, list(COLOURS)
    labels = [order.index(dataset.classes.names[label]) for label in test.labels]
    pixels = torch.stack([centre_square(test.images[index], 16) for index in range(len(test))])
    mean, std = (np.float32(said["pixels"][name]).reshape(3, 1, 1) for name in ("mean", "std"))
    given = (pixels.numpy().astype(np.float32) / 255 - mean) / std
    classes = np.load("small/classes.npy")
    before, after = (
        (onnxruntime.InferenceSession(file).run(None, {"pixels": given})[0] @ classes.T).argmax(1)
        for file in (float32, int8)
    )
    right, still, same = (100 * np.mean(found) for found in (before == labels, after == labels, before == after))
    assert printed.splitlines()[0] == (
        f"accuracy on {len(test)} test images of pictures: {right:.1f} % in float32, {still:.1f} % in int8; "
        f"{same:.1f} % of the answers are the same"
    )
    assert json.loads(cli("eval", "bmip", "--data", "pictures/", "--json").out)["accuracy"] == pytest.approx(right)


def test_the_page_on_exports(cli: Cli, inside: Path) -> None:
    """Its commands make an example that answers as bmip does, and an int8 tower whose cost is what they print."""
    shutil.copytree("bmip", "runs/pictures")
    shutil.copytree("photos", "pictures")
    Path("names.txt").write_text("a corgi\na hamster\n")
    *_, printed = run_page(cli, USING, first="## Export for programs", until="## What the prompts are").values()
    files = [str(file) for file in sorted(Path("photos").glob("*/0[0-4].png"))]
    check_answers(answers("exported", files, ("torch", "bmip")), files, ["a corgi", "a hamster"])
    check_int8(cli, printed)


def test_the_example_for_torch_answers_as_bmip_does(cli: Cli, inside: Path) -> None:
    files = [str(file) for file in sorted(Path("photos").glob("*/0[0-4].png"))]
    Path("odd").mkdir(exist_ok=True)
    for number, file in enumerate(files[:6]):
        with Image.open(file) as image:
            grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
            clear = np.dstack([np.asarray(image.convert("RGB")), np.asarray(image.convert("L"))])
        Image.fromarray(grey).save(f"odd/{number}-16.png")
        Image.fromarray(clear).save(f"odd/{number}-clear.png")
    files += sorted(map(str, Path("odd").iterdir()))
    done = cli("export", "bmip", "--to", "torch", "--out", "deep/torch", "--classes", CLASSES)
    assert done.status == 0 and "image_tower" in done.out and "3 classes" in done.err, done.err
    check_answers(answers("deep/torch", files, ("bmip", "onnxruntime")), files, CLASSES.split(","))
    assert str(inside) not in Path("deep/torch/export.json").read_text()


@pytest.mark.parametrize("runtime", ["onnxruntime", "torch"])
def test_the_example_is_short_and_needs_little(runtime: str) -> None:
    text = Path(to_onnx.__file__).with_name(f"example_{runtime.removesuffix('runtime')}.py").read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported - sys.stdlib_module_names == {runtime, "numpy", "PIL"}
    assert len(text.splitlines()) <= 40


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_the_example_refuses_what_bmip_refuses(runtime: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without images it says how it is used; what bmip reads, it reads, too."""
    file = Path(to_onnx.__file__).with_name(f"example_{runtime}.py")
    pixels_of = runpy.run_path(str(file))["pixels_of"]
    values = np.arange(400, dtype=np.int32).reshape(20, 20) * 100
    for name, given in (("signed.tiff", values), ("float.tiff", values.astype(np.float32))):
        Image.fromarray(given).save(name)
        with pytest.raises(DataError, match=f"{name} .*holds signed or 32-bit values, whose range is not known"):
            read_image(name)
        with pytest.raises(SystemExit, match=f"^{name} holds signed or 32-bit values, whose range is not known"):
            pixels_of(name, 16, [0.0] * 3, [1.0] * 3)
    Image.fromarray(values.astype(np.uint16)).save("16.png")
    Image.fromarray(values.astype(np.uint16)).save("16.tiff")
    for name in ("16.png", "16.tiff"):
        gold = centre_square(read_image(name), 16).numpy().astype(np.float32) / 255
        np.testing.assert_allclose(pixels_of(name, 16, [0.0] * 3, [1.0] * 3), gold, atol=1.5 / 255)
    monkeypatch.setattr(sys, "argv", ["example.py"])
    with pytest.raises(SystemExit, match=r"^usage: python example.py IMAGE"):
        runpy.run_path(str(file), run_name="__main__")


def test_a_matrix_for_a_plain_clip(cli: Cli, inside: Path) -> None:
    done = cli("export", "kgcoop", "--to", "linear", "--out", "linear", "--classes", CLASSES)
    assert done.status == 0, done.err
    assert sorted(file.name for file in Path("linear").iterdir()) == ["classes.json", "classes.npy", "export.json"]
    clip = load_clip("clip")
    found = json.loads(Path("linear/export.json").read_text())
    assert found["clip"]["sha256"] == clip.sha256 and found["scale"] == pytest.approx(clip.scale.item())
    pixels = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    features = torch.stack([image_feature(clip, each, ()) for each in pixels])
    features = features / features.norm(dim=-1, keepdim=True)
    learner = PromptLearner.from_pretrained("kgcoop", device="cpu")
    gold = clip.scale * features @ torch.tensor(learner.encode_text(CLASSES.split(","))).T
    np.testing.assert_allclose(features.numpy() @ np.load("linear/classes.npy").T, gold.numpy(), atol=1e-4)

    refused = cli("export", "bmip", "--to", "linear", "--out", "new")
    assert refused.status == 2 and "bmip has prompts in the image tower" in refused.err and "kgcoop" in refused.err
    assert not Path("new").exists()


def test_classes_are_exchanged_without_exporting_again(cli: Cli, inside: Path) -> None:
    assert cli("export", "kgcoop", "--to", "linear", "--out", "again").status == 0
    assert json.loads(Path("again/classes.json").read_text())["names"] == list(COLOURS)
    before = {file.name: file.read_bytes() for file in Path("again").iterdir()}
    Path("names.txt").write_text("blue\na red dog\n")
    done = cli("export", "kgcoop", "--out", "again", "--classes-file", "names.txt")
    assert done.status == 0, done.err
    after = {file.name: file.read_bytes() for file in Path("again").iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"classes.npy", "classes.json"}
    learner = PromptLearner.from_pretrained("kgcoop", device="cpu")
    gold = learner.scale * learner.encode_text(["blue", "a red dog"])
    np.testing.assert_allclose(np.load("again/classes.npy"), gold, atol=1e-5)
    classes = json.loads(after["classes.json"])
    assert classes["names"] == ["blue", "a red dog"] and classes["bias"] == [0, 0]
    assert classes["sha256"] == hashlib.sha256(after["classes.npy"]).hexdigest()


def test_what_cannot_be_exported_is_refused(cli: Cli, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ("red/00.png,red,train", "blue/00.png,blue,train", "green/00.png,green,train", "green/01.png,green,test")
    Path("photos/few.csv").write_text("path,label,split\n" + "\n".join(rows))
    for given, why in (
        (("--to", "onnxx", "--out", "new"), "did you mean 'onnx'?"),
        (("--out", "new"), "new holds no export whose classes could be exchanged: say --to onnx|torch|linear"),
        (("--to", "onnx", "--out", "photos"), "photos holds other things and no export"),
        (("--to", "onnx", "--out", "photos/red/00.png"), "00.png holds other things"),
        (("--to", "torch", "--out", "new", "--split-seed", "9"), "(split_seed) counts for --int8 alone: leave it out"),
        (
            ("--to", "onnx", "--int8", "--out", "new", "--data", "photos/few.csv", "--classes", "red,blue"),
            "photos/few.csv has no test images of these classes to measure --int8 on: name others (--data)",
        ),
    ):
        done = cli("export", "bmip", *given)
        assert done.status == 2 and why in done.err, done.err
    done = cli("export", "cocoop", "--to", "onnx", "--out", "new")
    assert done.status == 2 and "anew for each image" in done.err
    assert cli("export", "kgcoop", "--to", "linear", "--out", "matrix").status == 0
    assert "holds an export of other prompts than bmip" in cli("export", "bmip", "--out", "matrix").err
    assert "holds an export to linear" in cli("export", "kgcoop", "--to", "torch", "--out", "matrix").err
    said = Path("kgcoop/prompts.json")
    whole = said.read_text()
    said.write_text(whole.replace(load_clip("clip").sha256, "0" * 64))
    assert "holds an export of other prompts" in cli("export", "kgcoop", "--out", "matrix").err, "for another CLIP"
    said.write_text(whole)
    Path("matrix/export.json").write_text("{}")
    assert "cannot be used" in cli("export", "kgcoop", "--out", "matrix").err
    shutil.rmtree("matrix")
    monkeypatch.setattr(to_onnx, "find_spec", lambda name: None if name == "onnxscript" else name)
    done = cli("export", "bmip", "--to", "onnx", "--out", "new")
    assert done.status == 2 and "needs onnxscript: pip install 'bmip[export]'" in done.err
    assert not Path("new").exists()


def test_every_format_has_a_module() -> None:
    modules = {file.stem.removeprefix("to_") for file in Path(to_onnx.__file__).parent.glob("to_*.py")}
    assert modules | {command.DASSL} == command.TARGETS.keys()
