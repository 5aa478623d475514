"""From JPEG to the square that is classified, what scaled decoding changes, and how long sets are drawn: `loading.md`.

python -m benchmarks.loading
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import describe
from benchmarks.timing import alternate
from bmip.clip.loading.load import load_clip
from bmip.data.batches import EvalBatches
from bmip.data.dataset import Dataset, Split
from bmip.data.images import FileImages
from bmip.data.load import load_dataset
from bmip.data.names import embedded_names
from bmip.data.resized_cache import CachedImages
from bmip.evaluation.evaluate import evaluate
from bmip.methods import build_model

SIDE = 224
SHAPES = ((500, 375), (1024, 768))
IMAGES, ROUNDS = 80, 7
CLASSIFIED = ("digits", "food")
ENLARGED = 512


def plain_pil(paths: Sequence[Path]) -> torch.Tensor:
    """What a CLIP script does: Pillow decodes, resizes and crops, one image after the other."""
    squares = []
    for path in paths:
        with Image.open(path) as image:
            image = image.convert("RGB")
            short = min(image.size)
            image = image.resize((SIDE * image.width // short, SIDE * image.height // short), Image.Resampling.BICUBIC)
            left, top = round((image.width - SIDE) / 2), round((image.height - SIDE) / 2)
            squares.append(
                torch.from_numpy(np.array(image.crop((left, top, left + SIDE, top + SIDE)))).permute(2, 0, 1)
            )
    return torch.stack(squares)


def photos(folder: Path, width: int, height: int) -> FileImages:
    """Noise of every scale, weaker the finer it is, as photos have it."""
    folder.mkdir()
    draws = np.random.default_rng(0)
    for index in range(IMAGES):
        picture = np.zeros((height, width, 3))
        for scale in (2, 4, 8, 16, 32, 64, 128):
            coarse = draws.normal(size=(height // scale + 2, width // scale + 2, 3)).astype(np.float32)
            for channel in range(3):
                layer = Image.fromarray(coarse[:, :, channel]).resize((width, height), Image.Resampling.BICUBIC)
                picture[:, :, channel] += np.asarray(layer) * scale**0.7
        spread = 50 * (picture - picture.mean()) / picture.std() + 128
        Image.fromarray(spread.clip(0, 255).astype(np.uint8)).save(folder / f"{index}.jpg", quality=90)
    return FileImages(folder, tuple(f"{index}.jpg" for index in range(IMAGES)))


def squares(images: FileImages | CachedImages, workers: int) -> torch.Tensor:
    """Nothing is held between passes."""
    batches = EvalBatches(Split(images, (0,) * len(images)), SIDE, held_bytes=0, workers=workers)
    return torch.cat([pixels for pixels, _ in batches])


def speeds(images: FileImages, folder: Path) -> dict[str, tuple[float, float]]:
    """Images per second, and per second of one processor's time; the best of the rounds."""
    paths = [images.folder / path for path in images.paths]
    scaled = FileImages(images.folder, images.paths, scaled=True)
    cached = CachedImages(images, folder)
    contestants: dict[str, Callable[[], object]] = {"Pillow, one image after the other": partial(plain_pil, paths)}
    for workers, word in ((1, "one worker"), (2, "two workers")):
        contestants[f"bmip, {word}"] = partial(squares, images, workers)
        contestants[f"bmip, {word}, scaled decoding"] = partial(squares, scaled, workers)
        contestants[f"bmip, {word}, from the cache"] = partial(squares, cached, workers)
    times = alternate(contestants, dict.fromkeys(contestants, ROUNDS))
    return {name: (IMAGES / min(found.wall), IMAGES / min(found.cpu)) for name, found in times.items()}


def differences(images: FileImages) -> dict[str, tuple[float, int]]:
    """Mean and largest difference of the squares to Pillow's, of 255."""
    expected = plain_pil([images.folder / path for path in images.paths]).int()
    found = {}
    for scaled in (False, True):
        own = squares(FileImages(images.folder, images.paths, scaled), 2).int()
        gap = (own - expected).abs()
        found["scaled decoding" if scaled else "full decoding"] = (float(gap.float().mean()), int(gap.max()))
    return found


def accuracies(name: str, folder: Path) -> tuple[float, float, float]:
    """Zero-shot accuracy on enlarged test images with full and with scaled decoding, and the share of equal answers."""
    dataset: Dataset = load_dataset(name)
    folder.mkdir()
    for index in range(len(dataset.test)):
        pixels = dataset.test.images[index].permute(1, 2, 0).numpy()
        large = Image.fromarray(pixels).resize((ENLARGED, ENLARGED), Image.Resampling.BICUBIC)
        large.save(folder / f"{index}.jpg", quality=90)
    clip = load_clip("embedded")
    model = build_model("zero_shot", {}, clip, dataset.classes, seed=0)
    found = []
    for scaled in (False, True):
        images = FileImages(folder, tuple(f"{index}.jpg" for index in range(len(dataset.test))), scaled)
        found.append(evaluate(model, Split(images, dataset.test.labels), dataset.classes))
    full, other = found
    return full.accuracy, other.accuracy, 100 * float((full.predicted == other.predicted).float().mean())


def drawn() -> dict[str, tuple[int, float, float]]:
    """Images, seconds and processor seconds of each embedded data set; the first one also reads the pictures."""
    found = {}
    for name in embedded_names():
        began, busy = time.perf_counter(), time.process_time()
        images = sum(map(len, load_dataset(name).splits().values()))
        found[name] = images, time.perf_counter() - began, time.process_time() - busy
    return found


def report() -> str:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets = {shape: photos(folder / f"{shape[0]}", *shape) for shape in SHAPES}
        fast = {shape: speeds(images, folder / "squares") for shape, images in sets.items()}
        gaps = {shape: differences(images) for shape, images in sets.items()}
        answers = {name: accuracies(name, folder / name) for name in CLASSIFIED}
    sets_drawn = drawn()
    machine = describe("cpu")
    sizes = [f"{width} x {height}" for width, height in SHAPES]
    lines = [
        "# Loading",
        "",
        f"Made by `python -m benchmarks.loading` on {machine['cores']} cores, {machine['processor']}, "
        f"torch {machine['torch']}.",
        "",
        f"From a JPEG to the square of {SIDE} pixels that is classified: images per second, and per second of "
        f"processor time, each the best of {ROUNDS} passes over {IMAGES} images that the system holds in memory.",
        "",
        f"| | {' | '.join(sizes)} |",
        f"|---|{'---:|' * len(sizes)}",
        *(
            f"| {way} | {' | '.join('{:,.0f}, {:,.0f}'.format(*fast[shape][way]) for shape in SHAPES)} |"
            for way in fast[SHAPES[0]]
        ),
        "",
        "With two workers the first number is up to twice the second where both cores are free; where the two are "
        "alike, other programs left one.",
        "",
        "Difference of the squares to Pillow's, of 255, mean and largest:",
        "",
        f"| | {' | '.join(sizes)} |",
        f"|---|{'---:|' * len(sizes)}",
        *(
            f"| {way} | {' | '.join(f'{gaps[shape][way][0]:.3f}, {gaps[shape][way][1]}' for shape in SHAPES)} |"
            for way in gaps[SHAPES[0]]
        ),
        "",
        f"JPEGs are decoded at a half, a quarter or an eighth only where no side gets shorter than {SIDE} pixels.",
        "",
        f"Zero-shot accuracy of the embedded CLIP on test images that were enlarged to {ENLARGED} x {ENLARGED} pixels "
        "and saved as JPEGs:",
        "",
        "| | full decoding | scaled decoding | same answer |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {full:.1f} % | {other:.1f} % | {same:.1f} % |" for name, (full, other, same) in answers.items()),
        "",
        "Seconds to load each embedded data set, and seconds of processor time; images are drawn with one thread. The "
        "first set of scenes also reads the pictures:",
        "",
        "| | images | seconds | of processor time |",
        "|---|---:|---:|---:|",
        *(f"| {name} | {count:,} | {wall:.1f} | {busy:.1f} |" for name, (count, wall, busy) in sets_drawn.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = report()
    (Path(__file__).parent / "loading.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
