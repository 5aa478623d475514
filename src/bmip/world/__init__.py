"""A rendered world of shapes, digits and letters: images with captions to pre-train on, and data sets cut from it."""

from bmip.world.datasets import load_world, world_names
from bmip.world.pretraining import ATTRIBUTES, Sample, sample
from bmip.world.worldset import WorldSet, WorldSplit

__all__ = ["ATTRIBUTES", "Sample", "WorldSet", "WorldSplit", "load_world", "sample", "world_names"]
