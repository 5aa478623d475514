"""One name for each data set, however its path is spelt."""

from __future__ import annotations

from pathlib import PurePath

from bmip.data.catalogue import dataset_names
from bmip.data.hub import PREFIX


def data_name(said: str) -> str:
    """Known names as they are, and a path without what says nothing: `own` for `./own` and `own/`.

    "./" stays only before a path that would be the name of a known data set without it.
    """
    if not said or said in dataset_names() or said.startswith(PREFIX):
        return said
    name = PurePath(said).as_posix()
    return f"./{name}" if name in dataset_names() or name.startswith(PREFIX) else name
