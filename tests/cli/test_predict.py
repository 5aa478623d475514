"""`bmip predict`, `calibrate`, `embed` and `inspect` on a small backbone and on photos."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest

from bmip import PromptLearner
from bmip.class_names import ClassNames
from bmip.cli import predict, predictions
from bmip.cli.calibrate import SCORES
from bmip.cli.inspect import _natural
from bmip.clip.loading.load import load_clip
from bmip.data.images import FileImages
from bmip.data.load import load_dataset
from bmip.evaluation import feature_files, unknown
from bmip.methods import build_model
from bmip.prompting.checkpoint import read_checkpoint
from tests.cli.conftest import Cli
from tests.small import SMALL, photo_folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, backbone: Path) -> Path:
    """A folder with photos and a run on the classes blue and green."""
    folder = tmp_path_factory.mktemp("trained")
    photo_folder(folder / "photos", images=60)
    given = ("train", "--data", "photos", "--classes", "base", "--out", "run", "--backbone", str(backbone), *SMALL)
    command = [sys.executable, "-m", "bmip", *given]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def inside(trained: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


@pytest.mark.parametrize("format", ["jsonl", "csv", "table"])
@pytest.mark.parametrize("encoding", ["utf-8:strict", "cp1252:strict", "ascii:strict"])
def test_names_that_are_no_text_cost_no_answer(inside: Path, format: str, encoding: str) -> None:
    """A name in another encoding than the terminal's, in the list and as an argument; letters that it lacks."""
    odd = os.fsdecode(b"photos/bl\xfc.png")
    shutil.copy("photos/blue/00.png", odd)
    listed = b"photos/red/00.png\nabsent\xff.png\nphotos/blue/01.png\n"
    command = [sys.executable, "-m", "bmip", "predict", "run", odd, "-", "--classes", "red,blue,\u0434\u043e\u043c"]
    done = subprocess.run(
        [*command, "--format", format],
        input=listed,
        capture_output=True,
        timeout=300,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    Path(odd).unlink()
    assert done.returncode == 1 and b"Traceback" not in done.stderr, done.stderr
    assert b"1 image could not be read" in done.stderr
    answers = done.stdout.splitlines()
    if format == "jsonl":
        letters = "utf-8" if encoding.startswith("utf") else "ascii"
        found = [json.loads(line.decode(letters))["image"] for line in answers]
        assert found == [odd, "photos/red/00.png", "photos/blue/01.png"]
    else:
        assert sum(b".png" in line for line in answers) == 3


def test_every_format_says_the_same(cli: Cli, inside: Path) -> None:
    asked = ("predict", "run", "photos/*/00.png", "--classes", "red,blue,a [big] dog", "--top", "2")
    lines = [json.loads(line) for line in cli(*asked, "--format", "jsonl").out.splitlines()]
    rows = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "csv").out)))
    table = cli(*asked).out
    assert len(lines) == len(rows) == 4
    for line, row in zip(lines, rows, strict=True):
        first, second = line["guesses"]
        assert (row["image"], row["class"], row["class_2"]) == (line["image"], first["name"], second["name"])
        assert (float(row["probability"]), float(row["probability_2"])) == (first["probability"], second["probability"])
        assert float(row["similarity"]) == line["similarity"] and "unknown" not in line and "unknown" not in row
        assert line["image"] in table and f"{100 * first['probability']:.1f} %" in table
    assert predictions._WRITERS.keys() == set(predict.FORMATS) and unknown.SCORES == SCORES


def test_a_long_list_on_stdin_is_answered_line_by_line(inside: Path) -> None:
    """Answers come while the list is still being written, and what cannot be read comes at the end."""
    command = [sys.executable, "-m", "bmip", "predict", "run", "-", "--format", "jsonl", "--top", "1"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdin and process.stdout and process.stderr
        names = [f"photos/{name}/{number:02}.png" for name in ("red", "blue") for number in range(60)]
        for _ in range(3):
            process.stdin.writelines(f"{name}\n" for name in names)
        process.stdin.write("absent.png\n\n")
        process.stdin.flush()
        first = [json.loads(process.stdout.readline())["image"] for _ in range(200)]
        assert first == (names * 2)[:200], "before the end of the list"
        for _ in range(15):
            process.stdin.writelines(f"{name}\n" for name in names)
        process.stdin.close()
        rest = [json.loads(line)["image"] for line in process.stdout]
        assert len(first) + len(rest) == 18 * len(names)
        told = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert told.endswith("not read: absent.png does not exist\n1 image could not be read\n")


def test_a_threshold_is_chosen_kept_and_used(cli: Cli, inside: Path) -> None:
    missing = cli("predict", "run", "photos/red", "--unknown", "calibrated")
    assert missing.status == 2 and "no threshold was chosen for run: bmip calibrate run --data DATA" in missing.err
    found = cli("calibrate", "run", "--false-alarms", "0.2")
    assert found.status == 0, found.err
    kept = json.loads(Path("run/prompts.threshold.json").read_text())
    threshold, score = kept["threshold"]["value"], kept["threshold"]["score"]
    assert (kept["data"], kept["classes"], kept["images"], kept["others"]) == ("photos", ["blue", "green"], 24, 24)
    assert kept["false_alarms"] == pytest.approx(5 / 25)
    assert f"score: {score}, " in found.out and f"threshold: {threshold:.4f}" in found.out
    assert "expected false alarms: 20.0 % of images of the 2 classes (chosen on 24 validation images)" in found.out
    assert f"found: {100 * kept['found']:.1f} % of 24 validation images of other classes" in found.out

    asked = ("predict", "run", "photos", "--format", "jsonl", "--unknown")
    for line in map(json.loads, cli(*asked, "calibrated").out.splitlines()):
        value = line["similarity"] if score == "similarity" else line["guesses"][0]["probability"]
        assert line["unknown"] == (value < threshold)
    marks = {json.loads(line)["unknown"] for line in cli(*asked, "0.6").out.splitlines()}
    assert marks == {json.loads(line)["guesses"][0]["probability"] < 0.6 for line in cli(*asked, "1").out.splitlines()}
    assert "unknown: none of the classes" in cli("predict", "run", "photos/red/00.png", "--unknown", "1").out
    (row,) = csv.DictReader(
        io.StringIO(cli("predict", "run", "photos/red/00.png", "--unknown", "1", "--format", "csv").out)
    )
    assert row["unknown"] == "true"

    assert "the threshold was chosen" not in cli(*asked, "calibrated").err
    other = cli("calibrate", "run", "--classes", "red,grey", "--score", "probability", "--false-alarms", "0.2")
    assert "score: probability, " in other.out
    told = cli(*asked, "calibrated")
    assert told.status == 0 and "the threshold was chosen for other classes (red, grey), so " in told.err
    assert "the threshold was chosen" not in cli(*asked, "calibrated", "--classes", "grey,red").err
    Path("run/prompts.threshold.json").write_text(json.dumps({**kept, "tensors": "0" * 64}))
    foreign = cli("predict", "run", "photos/red", "--unknown", "calibrated")
    assert foreign.status == 2 and "was chosen for other prompts" in foreign.err
    Path("run/prompts.threshold.json").write_text("{}")
    assert "is damaged" in cli("predict", "run", "photos/red", "--unknown", "calibrated").err
    few = cli("calibrate", "run", "--false-alarms", "0.01")
    assert few.status == 2 and "24 images of known classes are too few" in few.err


def test_a_threshold_belongs_to_the_sentence_that_was_asked_with(
    cli: Cli, inside: Path, backbone: Path, tmp_path: Path
) -> None:
    """With the same sentence `predict` marks the images below the k-th lowest score, here the fifth."""
    plain, sentence = tmp_path / "plain", ("--template", "on monday a {}")
    clip = ("--backbone", backbone)
    build_model("zero-shot", {}, load_clip(backbone), ClassNames(("blue", "green")), seed=1).save_pretrained(plain)
    given = (plain, "--data", "photos", "--false-alarms", "0.2", "--score", "probability", *clip)
    done = cli("calibrate", *given, *sentence)
    assert done.status == 0, done.err
    known = load_dataset("photos").val
    assert known is not None and isinstance(known.images, FileImages)
    shown = [f"photos/{name}" for name in known.images.paths if name.startswith(("blue/", "green/"))]
    asked = ("predict", plain, *shown, "--format", "jsonl", "--unknown", "calibrated", *clip)
    same = cli(*asked, *sentence)
    marked = sum(json.loads(line)["unknown"] for line in same.out.splitlines())
    assert marked in (4, 5), "another batch rounds the fifth otherwise"
    assert "was chosen" not in same.err
    assert "the threshold was chosen with the sentence 'on monday a {}'" in cli(*asked).err


def test_a_threshold_has_no_place_on_the_hub(cli: Cli, here: Path) -> None:
    found = cli("calibrate", "someone/pets")
    assert found.status == 2 and "someone/pets is on the hub" in found.err
    assert "`hf download someone/pets --local-dir pets`, and name the copy" in found.err


def test_features_in_both_formats_are_those_of_the_learner(cli: Cli, inside: Path) -> None:
    learner = PromptLearner.from_pretrained("run", device="cpu")
    given = ("embed", "run", "photos/*/00.png", "absent.png", "--classes", "red,a dog", "--out")
    assert "there is no image absent.png" in cli(*given, "features.npz").err
    Path("bad.png").write_bytes(b"x")
    given = ("embed", "run", "photos/*/00.png", "bad.png", "--classes", "red,a dog", "--out")
    done = cli(*given, "deep/features.npz")
    assert done.status == 1 and "features of 4 images and 2 classes written to deep/features.npz" in done.err
    assert "not read: bad.png" in done.err
    found = np.load("deep/features.npz")
    files = sorted(str(file) for file in Path("photos").glob("*/00.png"))
    assert found["images"].tolist() == files and found["classes"].tolist() == ["red", "a dog"]
    np.testing.assert_allclose(found["image_features"], learner.encode_image(files), atol=1e-6)
    np.testing.assert_allclose(found["class_features"], learner.encode_text(["red", "a dog"]), atol=1e-6)
    powers = np.exp(found["scale"] * found["image_features"] @ found["class_features"].T)
    gold = learner.predict_proba(files, classes=["red", "a dog"])
    np.testing.assert_allclose(powers / powers.sum(1, keepdims=True), gold, atol=1e-5)

    cli(*given, "features.parquet")
    frame = pandas.read_parquet("features.parquet")
    assert (
        frame["name"].tolist() == [*files, "red", "a dog"] and frame["kind"].tolist() == ["image"] * 4 + ["class"] * 2
    )
    together = np.concatenate([found["image_features"], found["class_features"]])
    np.testing.assert_array_equal(np.stack(frame["feature"].tolist()), together)
    Path("bad.png").unlink()


def test_features_that_could_not_be_written_are_not_computed(
    cli: Cli, inside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompts do not even exist: the place of the file is looked at first."""
    given = ("embed", "absent", "photos/red/00.png", "--out")
    (tmp_path / "file").touch()
    (tmp_path / "folder.npz").mkdir()
    for place, why in ((tmp_path / "file" / "a.npz", "file"), (tmp_path / "folder.npz", "is a folder: name a file")):
        done = cli(*given, place)
        assert done.status == 2 and why in done.err and "absent" not in done.err, done.err
    monkeypatch.setattr(feature_files, "find_spec", lambda name: None)
    done = cli(*given, tmp_path / "a.parquet")
    assert done.status == 2 and "Parquet needs the package pyarrow: pip install 'bmip[parquet]'" in done.err


def test_one_class_name_gets_a_remark(cli: Cli, inside: Path) -> None:
    found = cli("predict", "run", "photos/red/00.png", "--classes", "red;blue")
    assert found.status == 0 and "one class name, 'red;blue', so it gets 100 % of every image" in found.err
    assert "one class name" not in cli("predict", "run", "photos/red/00.png", "--classes", "red,blue").err


def test_a_class_may_be_called_as_a_file(cli: Cli, inside: Path) -> None:
    Path("crane").touch()
    assert cli("predict", "run", "photos/red/00.png", "--classes", "red,crane").status == 0
    found = cli("predict", "run", "photos/red/00.png", "--classes", "red", "photos/blue/00.png")
    assert found.status == 2 and "photos/blue/00.png is a file, not a class name" in found.err
    long = cli("predict", "run", "photos/red/00.png", "--classes", f"red,{'very ' * 150}long")
    assert long.status == 2 and "tokens" in long.err and "shorten the name" in long.err


def test_parameters_stand_in_their_order(cli: Cli, inside: Path) -> None:
    assert [_natural(name) for name in ("text.10", "text.2")] == [[(-1, "text"), (10, "")], [(-1, "text"), (2, "")]]
    names = list(read_checkpoint("run")[1])
    shown = [line.split()[0] for line in cli("inspect", "run").out.splitlines() if line.split()[:1]]
    assert [name for name in shown if name in names] == sorted(names, key=_natural)


def test_what_prompts_are(cli: Cli, inside: Path, tmp_path: Path) -> None:
    found = cli("inspect", "run", "--words", "2")
    assert found.status == 0, found.err
    description, tensors = read_checkpoint("run")
    for part in (
        "bmip, preset default",
        "2 shots, seeds 1/1 of photos (base classes)",
        "2 classes: blue, green",
        description.backbone_hash[:12],
        description.split_hash[:12],
        "depth=2",
        "nearest words (cosine)",
        f"{sum(tensor.numel() for tensor in tensors.values()):,}",
    ):
        assert part in found.out, part
    for name in tensors:
        assert name in found.out
    for one in json.loads(Path("run/gauges.json").read_text()):
        assert f"{one['mean']:.3f}" in found.out and one["quantity"] in found.out
    PromptLearner.from_pretrained("run", device="cpu").save_pretrained(tmp_path / "away")
    away = cli("inspect", tmp_path / "away")
    assert away.status == 0 and "the nearest words need the CLIP: " in away.err and "gate weight" not in away.out
    assert "the gate weights are not known" in away.err and "the gate weights are not known" not in found.err


def test_an_explanation_is_drawn(cli: Cli, inside: Path) -> None:
    found = cli("explain", "run", "photos/red/00.png", "--classes", "red,blue", "--out", "deep/explained.png")
    assert found.status == 0, found.err
    assert Path("deep/explained.png").read_bytes().startswith(b"\x89PNG")
    learner = PromptLearner.from_pretrained("run", device="cpu")
    (shares,) = learner.predict_proba(["photos/red/00.png"], classes=["red", "blue"])
    assert f"after training: red {100 * shares[0]:.1f} %, blue {100 * shares[1]:.1f} %" in found.out
    assert "absent.png does not exist" in cli("explain", "run", "absent.png").err
