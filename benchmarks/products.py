"""The products of a frozen linear map by MKL and by oneDNN, one after the other: `products.md`.

python -m benchmarks.products

`mkl_is_slow` in bmip/clip/linear.py says where a difference is expected. Rows are tokens of all images or classes of a
batch; widths are those of ViT-B/16, of its text tower and of the embedded CLIP.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.machine import describe
from benchmarks.timing import alternate
from bmip.clip.linear import FrozenLinear, mkl_is_slow

SHAPES = ((16, 256, 512), (160, 256, 768), (2048, 256, 1024), (2048, 1024, 256), (800, 512, 1536), (788, 768, 3072))
"""Rows, and the widths in and out."""

ROUNDS, WORK = 9, 2e9


def billions(shape: tuple[int, int, int], use: str) -> list[float]:
    """Floating point operations of one thread in a second, in billions: of MKL, and of oneDNN. The median of rounds."""
    rows, inward, outward = shape
    x, weight, bias = torch.randn(rows, inward), torch.randn(outward, inward), torch.randn(outward)
    grad = torch.randn(rows, outward)
    operations = 2 * rows * inward * outward * (1 if use == "forward" else 2)
    times = max(1, int(WORK / operations))

    def repeated(linear: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(times):
                found = linear(x.detach().requires_grad_(use != "forward"), weight, bias)
                if found.requires_grad:
                    found.backward(grad)

        return run

    sides = {"MKL": repeated(F.linear), "oneDNN": repeated(FrozenLinear.apply)}  # pyright: ignore[reportArgumentType]
    found = alternate(sides, dict.fromkeys(sides, ROUNDS))
    return [operations * times / sorted(one.cpu)[ROUNDS // 2] / 1e9 for one in found.values()]


def report() -> str:
    torch.set_num_threads(1)
    machine = describe("cpu")
    lines = [
        "# Matrix products by two libraries",
        "",
        f"Made by `python -m benchmarks.products` on {machine['processor']}, torch {machine['torch']}. Billions of "
        "floating point operations in a second of one thread, float32, the median of "
        f"{ROUNDS} rounds in which the libraries take turns. On this processor bmip takes "
        f"{'oneDNN' if mkl_is_slow() else 'MKL, as torch does'}. Rows are the tokens of a batch; widths are those of "
        "ViT-B/16, of its text tower and of the embedded CLIP.",
        "",
        "| rows, width in, width out | use | MKL | oneDNN | oneDNN / MKL |",
        "|---|---|---:|---:|---:|",
    ]
    for shape in SHAPES:
        for use in ("forward", "forward and backward"):
            mkl, onednn = billions(shape, use)
            lines.append(f"| {', '.join(map(str, shape))} | {use} | {mkl:.0f} | {onednn:.0f} | {onednn / mkl:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = report()
    (Path(__file__).parent / "products.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
