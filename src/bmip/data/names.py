"""The names of data sets, and one name for each path. Importing this module needs no torch and no reader."""

from pathlib import PurePath

from bmip.data.public.registry import PUBLIC

HUB_PREFIX = "hub:"
"""Stands before the name of a data set in the format of Hugging Face's `datasets`."""

WORLD = (
    "shapes",
    "shapes-v2",
    "shapes-sketch",
    "shapes-adversarial",
    "shapes-rendition",
    "textures",
    "signs",
    "compounds",
    "glyphs",
    "counts",
    "neon",
    "wallpaper",
    "windows",
    "tumbled",
    "relations",
)
"""The data sets of the rendered world (`bmip.embedded.world`)."""


def dataset_names() -> tuple[str, ...]:
    """Every name that `load_dataset` knows."""
    return (*embedded_names(), *PUBLIC)


def embedded_names() -> tuple[str, ...]:
    """The names of the data sets that come with the package."""
    return ("digits", *WORLD)


def data_name(given: str) -> str:
    """One spelling for each data set: known names as they are, and `own` for the paths `./own` and `own/`.

    A path that would be a known name without its "./" keeps it: `./digits` is a folder, `digits` the data set.
    """
    if not given or given in dataset_names() or given.startswith(HUB_PREFIX):
        return given
    name = PurePath(given).as_posix()
    return f"./{name}" if name in dataset_names() or name.startswith(HUB_PREFIX) else name
