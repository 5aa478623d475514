"""The data sets that have a name, and one name for each data set, however its path is spelt."""

from pathlib import PurePath

from bmip.data.public.registry import PUBLIC
from bmip.data.sources.hub import PREFIX


def dataset_names() -> tuple[str, ...]:
    """Every name `load_dataset` knows."""
    return (*embedded_names(), *PUBLIC)


def embedded_names() -> tuple[str, ...]:
    """The data sets that come with the package."""
    from bmip.embedded.world import world_names  # the renderer is only needed by its own sets

    return ("digits", *world_names())


def data_name(said: str) -> str:
    """Known names as they are, and a path without what says nothing: `own` for `./own` and `own/`.

    "./" stays only before a path that would be the name of a known data set without it.
    """
    if not said or said in dataset_names() or said.startswith(PREFIX):
        return said
    name = PurePath(said).as_posix()
    return f"./{name}" if name in dataset_names() or name.startswith(PREFIX) else name
