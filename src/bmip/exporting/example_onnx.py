"""Classifies images with onnxruntime, numpy and Pillow: python example.py IMAGE..."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).parent


def pixels_of(path, size, mean, std):
    with Image.open(path) as image:
        if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
            sys.exit(f"{path} holds signed or 32-bit values, whose range is not known: save it with 8 bits")
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # greyscale with 16 bits
        image = Image.fromarray(((np.asarray(image).astype(np.int64) * 255 + 32767) // 65535).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image = image.convert("RGB")
    image = image.resize([size * side // min(image.size) for side in image.size], Image.Resampling.BICUBIC)
    left, top = (round((side - size) / 2) for side in image.size)
    square = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
    return ((square - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)


if __name__ == "__main__":
    paths = sys.argv[1:] or sys.exit("usage: python example.py IMAGE...")
    export, classes = (json.loads((HERE / f"{name}.json").read_text("utf-8")) for name in ("export", "classes"))
    given = export["pixels"]
    pixels = np.stack([pixels_of(path, given["size"], given["mean"], given["std"]) for path in paths])
    (features,) = onnxruntime.InferenceSession(HERE / export["image_tower"]).run(None, {"pixels": pixels})
    logits = features @ np.load(HERE / "classes.npy").T + np.float32(classes["bias"])
    odds = np.exp(logits - logits.max(1, keepdims=True))
    for path, row in zip(paths, odds / odds.sum(1, keepdims=True), strict=True):
        print(f"{path}\t{classes['names'][row.argmax()]}\t{row.max():.4f}")
