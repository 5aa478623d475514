"""Classifying images with a trained model: test splits and single pictures."""
