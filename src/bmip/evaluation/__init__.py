"""Evaluation of a model: splits with labels, and single pictures."""
