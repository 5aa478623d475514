"""A rendered world of shapes, digits and letters: images with captions to pre-train on, and data sets cut from it."""

from bmip.embedded.world.datasets import load_world, world_names
from bmip.embedded.world.pretraining import ATTRIBUTES, Sample, sample
from bmip.embedded.world.worldset import WorldSet, WorldSplit

__all__ = ["ATTRIBUTES", "Sample", "WorldSet", "WorldSplit", "load_world", "sample", "world_names"]
