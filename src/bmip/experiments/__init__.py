"""Trials, the protocols that make them, and the runner that carries them out."""
