"""Protocols make trials; one runner runs them all."""
