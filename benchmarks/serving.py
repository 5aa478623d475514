"""What `bmip serve` costs beside the bare model, and whether its memory stays flat: `serving.md`.

python -m benchmarks.serving
"""

from __future__ import annotations

import http.client
import itertools
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import torch
from PIL import Image
from torch import Tensor

from benchmarks.machine import describe
from benchmarks.timing import alternate
from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.data.transforms import centre_square
from bmip.embedded.scenes.datasets import load_scenes
from bmip.evaluation.logits import batch_logits
from bmip.evaluation.pictures import picture_pixels
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.system.threads import threads

REQUESTS, EARLY, CLIENTS, PICTURES = 2000, 200, 32, 256
DATA, METHOD = "animals", "bmip"
ROUNDS = 25
"""Batches of each kind that the bare model gets, in turn."""


@dataclass(frozen=True)
class Served:
    """What the clients and the server's own counts say."""

    latencies: Sequence[float]
    seconds: float
    """From the first request to the last answer."""

    batch: float
    """Pictures that the model saw at once, on average."""

    early: float
    """Resident bytes of the server after EARLY requests."""

    late: float
    """The same after all requests."""


@contextmanager
def server(prompts: Path) -> Iterator[str]:
    """The address of `bmip serve` in a process of its own, with one thread for the model."""
    command = [sys.executable, "-m", "bmip", "serve", str(prompts), "--port", "0", "--threads", "1", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", told)
        assert found, f"the server did not start: {told}"
        yield found[0]
    finally:
        process.terminate()
        process.wait(60)


def ask(address: str, files: Sequence[bytes], count: int) -> tuple[list[float], float]:
    """The latencies of so many requests of one picture each, from CLIENTS at once, and the seconds of all of them.

    Any answer but 200 ends it.
    """
    turns = itertools.count()
    host = urlsplit(address).netloc

    def client(_: int) -> list[float]:
        connection, found = http.client.HTTPConnection(host, timeout=60), []
        while (turn := next(turns)) < count:
            body, headers = form(files[turn % len(files)])
            began = time.perf_counter()
            connection.request("POST", "/api/predict", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            found.append(time.perf_counter() - began)
            assert answer.status == 200, content
        return found

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        latencies = list(itertools.chain(*pool.map(client, range(CLIENTS))))
    return latencies, time.perf_counter() - began


def form(file: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
    return head + file + b"\r\n--b--\r\n", {"content-type": "multipart/form-data; boundary=b"}


def gauge(address: str, name: str) -> float:
    """A number of /metrics."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} "))


def measure(prompts: Path, files: Sequence[bytes], requests: int, early: int) -> Served:
    memory = "process_resident_memory_bytes"
    with server(prompts) as address:
        first, seconds = ask(address, files, early)
        resident = gauge(address, memory)
        further, more = ask(address, files, requests - early)
        pictures, batches = gauge(address, "bmip_batch_pictures_sum"), gauge(address, "bmip_batch_pictures_count")
        return Served([*first, *further], seconds + more, pictures / batches, resident, gauge(address, memory))


def bare_rates(model: PromptedCLIP, files: Sequence[bytes], batch: int) -> tuple[float, float]:
    """Images per second of the model on one thread: of squares in memory, and of files in memory."""
    classify = model.classifiers([model.classes])
    size = model.clip.config.image_size

    def square(file: bytes) -> Tensor:
        return centre_square(picture_pixels(Image.open(BytesIO(file))), size)

    def answers(squares: Tensor) -> None:
        for _, (logits,) in batch_logits(model, [(squares, None)], [model.classes], classify=classify):
            logits.softmax(-1)

    batches = itertools.cycle(files[start : start + batch] for start in range(0, len(files) - batch + 1, batch))
    kept = torch.stack([square(file) for file in files[:batch]])
    contestants = {
        "squares": lambda: answers(kept),
        "files": lambda: answers(torch.stack([square(file) for file in next(batches)])),
    }
    times = alternate(contestants, dict.fromkeys(contestants, ROUNDS))
    squares, whole = (batch / statistics.median(times[name].wall) for name in contestants)
    return squares, whole


def pictures(count: int) -> tuple[list[bytes], tuple[str, ...]]:
    """Scenes of the data set as PNG files, and the names of its classes."""
    scenes = load_scenes(DATA)
    labels = torch.arange(count) % len(scenes.class_names)
    found = []
    for pixels in scenes.drawn("test", labels.numpy()).images:
        file = BytesIO()
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(file, "PNG")
        found.append(file.getvalue())
    return found, scenes.class_names


def report(requests: int = REQUESTS, early: int = EARLY) -> str:
    files, names = pictures(PICTURES)
    model = build_model(METHOD, {}, load_clip("embedded"), ClassNames(names), seed=1)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, threads(1):
        model.save_pretrained(folder)
        found = measure(Path(folder), files, requests, early)
        batch = max(1, round(found.batch))
        squares, whole = bare_rates(model, files, batch)
    machine = describe("cpu")
    hundredths = statistics.quantiles(found.latencies, n=100)
    lines = [
        "# Serving",
        "",
        f"Made by `python -m benchmarks.serving` on {machine['cores']} cores, {machine['processor']}, "
        f"torch {machine['torch']}: {requests:,} requests of one picture each (PNG, scenes of `{DATA}`) from "
        f"{CLIENTS} clients on the same machine, to `bmip serve` with {METHOD} on the embedded CLIP, {len(names)} "
        "classes and one thread for the model. Every answer was 200. The clients run on the same cores. The bare model "
        f"runs alone, on one thread, with batches of {batch} pictures, the mean of the server's batches: medians of "
        f"{ROUNDS} batches with decoding and as many without, in turn.",
        "",
        "| | |",
        "|---|---:|",
        f"| time of a request, median (p50) | {1000 * hundredths[49]:.0f} ms |",
        f"| exceeded by one request of 100 (p99) | {1000 * hundredths[98]:.0f} ms |",
        f"| pictures in a batch, mean | {found.batch:.1f} |",
        f"| images per second, server | {requests / found.seconds:.0f} |",
        f"| images per second, model with decoding | {whole:.0f} |",
        f"| images per second, model alone | {squares:.0f} |",
        f"| resident memory of the server after {early:,} requests | {found.early / 2**20:.1f} MiB |",
        f"| resident memory of the server after {requests:,} requests | {found.late / 2**20:.1f} MiB |",
        f"| difference | {100 * (found.late / found.early - 1):+.1f} % |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = report()
    (Path(__file__).parent / "serving.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
