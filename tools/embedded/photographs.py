"""What the embedded CLIP says of seven photographs, among the seven names that fit one each.

python -m tools.embedded.photographs FOLDER    # of the pictures in scikit-image, .../site-packages/skimage/data
"""

from __future__ import annotations

import sys
from pathlib import Path

from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.evaluation.predict import predict
from bmip.methods import build_model

PHOTOGRAPHS = {
    "clock_motion.png": "alarm clock",
    "coffee.png": "hot beverage",
    "coins.png": "coin",
    "horse.png": "horse",
    "moon.png": "full moon",
    "motorcycle_left.png": "motorcycle",
    "rocket.jpg": "rocket",
}
"""The photographs of things that pre-training shows as pictures, with the names that the things have there."""


def answers(folder: Path) -> dict[str, str]:
    """The name that the embedded CLIP gives to each photograph."""
    names = tuple(PHOTOGRAPHS.values())
    model = build_model("zero_shot", {}, load_clip("embedded"), ClassNames(names), seed=0)
    found = predict(model, [folder / file for file in PHOTOGRAPHS], names)
    return {file: one.guesses[0].name for file, one in zip(PHOTOGRAPHS, found, strict=True)}


if __name__ == "__main__":
    found = answers(Path(sys.argv[1]))
    for file, name in found.items():
        sys.stdout.write(f"{file}: {name}\n")
    right = sum(PHOTOGRAPHS[file] == name for file, name in found.items())
    sys.stdout.write(f"{right} of {len(found)} are right\n")
