"""How long the first answers take: `python -m tools.first_answers`.

Clones this repository, draws twelve pictures in two class folders, and gives the commands of README's section on your
own images, up to predictions on a third class name, as README writes them. It needs the packages of bmip, no network.
The seconds are those of the clock, so nothing else should run meanwhile.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[1]
SECTION = "## Your own images"


def draw(folder: Path) -> None:
    """Six circles and six triangles, each in another place, size and colour."""
    for name in ("circle", "triangle"):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            image = Image.new("RGB", (160, 160), (255, 240 - 10 * number, 230 + 4 * number))
            pen, left, side = ImageDraw.Draw(image), 12 + 8 * number, 80 + 4 * number
            if name == "circle":
                pen.ellipse((left, 30, left + side, 30 + side), fill=(200, 30 + 20 * number, 40))
            else:
                pen.polygon([(left, 120), (left + side, 120), (left + side // 2, 30)], fill=(40, 30 + 20 * number, 200))
            image.save(folder / name / f"{number}.png")


def commands(readme: str) -> list[str]:
    """The lines of the section's first code block."""
    return re.findall(r"```sh\n(.*?)```", readme[readme.index(SECTION) :], re.DOTALL)[0].splitlines()


def seconds(command: list[str], folder: Path, **variables: str) -> float:
    """Seconds that a command takes. Raises CalledProcessError where it fails, with what it printed."""
    before = time.perf_counter()
    subprocess.run(command, cwd=folder, env={**os.environ, **variables}, check=True, capture_output=True, text=True)
    return time.perf_counter() - before


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = [seconds(["git", "clone", "--quiet", str(ROOT), "clone"], folder)]
        print(f"{taken[0]:6.1f} s  git clone")
        (folder / "work").mkdir()
        draw(folder / "work" / "pictures")
        own = {"PYTHONPATH": str(folder / "clone" / "src"), "BMIP_CACHE": str(folder / "cache")}
        for line in commands((folder / "clone" / "README.md").read_text(encoding="utf-8")):
            _, *given = shlex.split(line)
            taken.append(seconds([sys.executable, "-m", "bmip", *given], folder / "work", **own))
            print(f"{taken[-1]:6.1f} s  {line}", flush=True)
        print(f"{sum(taken):6.1f} s  in all")


if __name__ == "__main__":
    main()
