"""Trained prompts behind HTTP: a page for people and JSON for programs, on this machine unless told otherwise."""
