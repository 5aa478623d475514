"""The data sets that protocols take where none are named: those trained on, their targets and shifted variants."""

from __future__ import annotations

from bmip.data.embedded_sets import embedded_sets

_WORLD = [name for name in embedded_sets() if name != "digits"]

EMBEDDED = ("digits", "signs", "shapes-sketch", "textures")
"""The embedded data sets of docs/embedded.md."""

COOP = (
    "caltech101", "oxford_pets", "stanford_cars", "oxford_flowers", "food101", "fgvc_aircraft", "sun397", "dtd",
    "eurosat", "ucf101",
)  # fmt: skip
"""The public data sets beside ImageNet in the tables of CoOp and its successors."""

TARGETS = {"shapes": tuple(name for name in _WORLD if not name.startswith("shapes")), "imagenet": COOP}
"""Other data sets with classes of their own."""

SHIFTS = {
    "shapes": tuple(name for name in _WORLD if name.startswith("shapes-")),
    "imagenet": ("imagenetv2", "imagenet_sketch", "imagenet_a", "imagenet_r"),
}
"""Other images of the same classes."""
