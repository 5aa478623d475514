"""Scenes of drawn pictures on backgrounds, with captions: for pre-training, and as data sets."""
