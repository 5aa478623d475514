"""Helpers for files, devices and messages that the whole package uses. They know nothing about prompts."""
