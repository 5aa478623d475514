"""A rendered world of shapes, digits and letters: images with captions to pre-train on, and data sets cut from it."""

from bmip.world.pretraining import ATTRIBUTES, Sample, sample

__all__ = ["ATTRIBUTES", "Sample", "sample"]
