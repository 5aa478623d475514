"""The data sets that protocols take where none are named: those trained on, their targets and shifted variants."""

from __future__ import annotations

from bmip.data.embedded_sets import embedded_sets

EMBEDDED = ("animals", "food", "textures", "digits")
"""Embedded data sets of four kinds: drawn things of two groups, surfaces, and the handwriting of people."""

SOURCE = "things"
"""The embedded data set whose classes are of all kinds, in the role of ImageNet."""

_SETS = tuple(embedded_sets().values())

COOP = (
    "caltech101", "oxford_pets", "stanford_cars", "oxford_flowers", "food101", "fgvc_aircraft", "sun397", "dtd",
    "eurosat", "ucf101",
)  # fmt: skip
"""The public data sets beside ImageNet in the tables of CoOp and its successors."""

TARGETS = {SOURCE: tuple(one.name for one in _SETS if SOURCE not in (one.name, one.like)), "imagenet": COOP}
"""Other data sets with classes of their own."""

SHIFTS = {
    SOURCE: tuple(one.name for one in _SETS if one.like == SOURCE),
    "imagenet": ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r"),
}
"""Other images of the same classes."""
