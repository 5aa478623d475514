from pathlib import Path

import torch
from PIL import Image

from bmip.evaluation.predict import Guess, Prediction
from bmip.report.sample_pictures import Sample, draw_samples
from tests.cli.conftest import Cli
from tests.small import SMALL


def test_demo(cli: Cli, photos: Path, backbone: Path) -> None:
    first = cli("demo", "--data", "photos", "--backbone", backbone, *SMALL)
    assert first.status == 0, first.err
    for part in ("harmonic mean", "zero-shot", "maple", "bmip", "predictions.png", "not trained on"):
        assert part in first.out
    with Image.open("runs/demo/predictions.png") as picture:
        assert min(picture.size) > 300
    (run,) = Path("runs/demo").glob("photos/bmip-*")
    assert f"Run folder: {run}" in first.out
    assert f"Page:       {(page := Path('runs/demo/page/index.html'))}" in first.out
    assert "<html" in page.read_text()
    told = [line.split()[:2] for line in first.out.splitlines() if line.startswith("  bmip ")]
    assert told == [["bmip", "train"], ["bmip", "eval"], ["bmip", "predict"]]

    rows = Path("runs/demo/results.jsonl").read_bytes()
    second = cli("demo", "--data", "photos", "--backbone", backbone, *SMALL)
    assert (second.status, second.out) == (0, first.out)
    assert second.err.count("done before") == 3
    assert Path("runs/demo/results.jsonl").read_bytes() == rows


def test_pictures_show_long_names_and_short_rows(tmp_path: Path) -> None:
    image = torch.zeros(3, 8, 12, dtype=torch.uint8)

    def sample(truth: str, guess: str, group: str) -> Sample:
        return Sample(image, truth, Prediction("", (Guess(guess, 0.5),), 0.3), group)

    long = "a very long name of a class that goes on and on and on until nothing is left"
    samples = [sample("a", "a", "first"), sample(long, "b $x_1$", "first"), sample("c", long, "second")]
    draw_samples(samples, tmp_path / "new" / "picture.png")
    with Image.open(tmp_path / "new" / "picture.png") as picture:
        assert picture.size[0] > 300
