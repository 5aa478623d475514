"""One name for each data set, however its path is spelt."""

from __future__ import annotations

from pathlib import Path

from bmip.data.catalogue import dataset_names
from bmip.data.hub import PREFIX


def data_name(said: str) -> str:
    """Known names as they are; a path relative to the working directory, or absolute where it does not lie below.

    "./" stands only before a path that would be the name of a known data set without it.
    """
    if not said or said in dataset_names() or said.startswith(PREFIX):
        return said
    path, here = Path(said), Path.cwd()
    path = path.resolve() if ".." in path.parts else path.absolute()  # links stay, where they cannot mislead
    if not path.is_relative_to(here):
        return path.as_posix()
    name = path.relative_to(here).as_posix()
    return f"./{name}" if name in dataset_names() or name.startswith(PREFIX) else name
