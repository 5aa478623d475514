"""The class folders and lists of public data sets, as their archives have them.

Cars, Flowers and Aircraft as azshue/TPT lists them, ImageNet as open_clip does.
"""

from pathlib import Path


def class_list(name: str) -> list[str]:
    """In the order of the labels, but for Caltech, whose capitals come first. Names of several words have commas."""
    lists = Path(__file__).with_name("classes.txt").read_text().split("[")
    words = next(text.split("]")[1].split() for text in lists if text.startswith(f"{name}]"))
    joined = " ".join(words)
    return joined.split(", ") if "," in joined else words
