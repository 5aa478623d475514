"""The embedded default: a rendered world, a small CLIP trained on it (weights/), and how that was done (pretrain/)."""
