"""The data sets that protocols take where none are named: those trained on, their targets and shifted variants."""

from __future__ import annotations

EMBEDDED = ("digits", "signs", "shapes-sketch", "textures")
"""The embedded data sets of docs/embedded.md."""

TARGETS = {
    "shapes": (
        "textures",
        "signs",
        "compounds",
        "glyphs",
        "counts",
        "neon",
        "wallpaper",
        "windows",
        "tumbled",
        "relations",
    ),
    "imagenet": (
        "caltech101",
        "oxford_pets",
        "stanford_cars",
        "oxford_flowers",
        "food101",
        "fgvc_aircraft",
        "sun397",
        "dtd",
        "eurosat",
        "ucf101",
    ),
}
"""Other data sets with classes of their own."""

SHIFTS = {
    "shapes": ("shapes-v2", "shapes-sketch", "shapes-adversarial", "shapes-rendition"),
    "imagenet": ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r"),
}
"""Other images of the same classes."""
