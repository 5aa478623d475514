"""Checkpoints of the methods' released code: read safely, made into prompts of bmip, and written back."""
