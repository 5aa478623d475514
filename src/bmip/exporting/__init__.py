"""Trained prompts as files for other programs: an image tower with prompts in place, and a matrix of the classes."""
