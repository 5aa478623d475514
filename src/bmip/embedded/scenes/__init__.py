"""Scenes of drawn pictures on backgrounds, with captions: what the embedded CLIP is pre-trained on."""
