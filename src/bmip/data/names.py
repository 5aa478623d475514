"""The names of data sets, and one name for each path. Importing this module needs no torch and no reader."""

from pathlib import Path, PurePath

from bmip.data.embedded_sets import embedded_sets
from bmip.data.public.registry import PUBLIC
from bmip.system.messages import nearest

HUB_PREFIX = "hub:"
"""Stands before the name of a data set in the format of Hugging Face's `datasets`."""


class DataError(ValueError):
    """The given data cannot be used as they are; the message says what to do."""


def dataset_names() -> tuple[str, ...]:
    """Every name that `load_dataset` knows."""
    return (*embedded_names(), *PUBLIC)


def embedded_names() -> tuple[str, ...]:
    """The names of the data sets that come with the package."""
    return tuple(embedded_sets())


def data_name(given: str) -> str:
    """One spelling for each data set: known names as they are, and `own` for the paths `./own` and `own/`.

    A path that would be a known name without its "./" keeps it: `./digits` is a folder, `digits` the data set.
    """
    if not given or given in dataset_names() or given.startswith(HUB_PREFIX):
        return given
    name = PurePath(given).as_posix()
    return f"./{name}" if name in dataset_names() or name.startswith(HUB_PREFIX) else name


def check_data(*given: str) -> None:
    """Raises DataError for the first that is neither the name of a data set nor a path where something is."""
    cure = "give the path of a folder with one folder of images per class, or of a table"
    for name in given:
        if name in dataset_names() or name.startswith(HUB_PREFIX) or Path(name).exists():
            continue
        if any(sign in name for sign in "/\\."):
            raise DataError(f"{name} does not exist: {cure}")
        near = nearest(name, dataset_names())
        raise DataError(f"{name!r} is neither a data set ({near}) nor a folder: see `bmip data list`, or {cure}")
