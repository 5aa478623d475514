"""Prompt learning for frozen CLIP models."""
