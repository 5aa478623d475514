"""How a data set is read, as one value that `load_dataset`, a run and the command line share."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from bmip.system.files import cache_folder
from bmip.system.seeds import check_seed


@dataclass(frozen=True, kw_only=True)
class ReadConfig:
    """How a data set is read.

    Two values are equal if the same files give the same data set with both; where things lie on this machine does not
    count. Raises ValueError for a seed below 0.
    """

    template: str = ""
    """The sentence around a class name, as in 'a photo of a {}.'; empty: the data set's own."""

    class_names: str = ""
    """A file with better names for the classes of your own data: JSON from old to new names, or a list."""

    label_column: str = ""
    """The column of labels of a `hub:` data set or a table; empty: the column called `label`, or the only one of
    labels."""

    split_seed: int = 1
    """Seed that draws the split of data that have none; the split is then written down. Keep it fixed across runs that
    are to be compared: it is not the seed of the few-shot draw."""

    skip_bad_images: bool = False
    """Leave out images that cannot be read, and list them."""

    scaled_decoding: bool = False
    """Decode large JPEGs of the test split at a smaller size: faster, but the pixels differ slightly."""

    root: str = field(default="", compare=False)
    """The folder that holds the public data sets, laid out as for CoOp (`bmip data prepare`)."""

    cache: str = field(default="", compare=False)
    """The folder for resized test images and other files that can be made again; empty: $BMIP_CACHE or bmip/ in the
    user's cache folder."""

    cache_images: bool = field(default=True, compare=False)
    """Use the cache; otherwise nothing is read from it or written to it."""

    def __post_init__(self) -> None:
        check_seed(self.split_seed)

    @property
    def cache_folder(self) -> Path | None:
        """The folder that `cache` names, or the default one; None without `cache_images`."""
        if not self.cache_images:
            return None
        return Path(self.cache) if self.cache else cache_folder()


def how_to_set(name: str, value: str = "") -> str:
    """How a field of `ReadConfig` is set, for messages: by a command's option, and in the plan of a study.

    >>> how_to_set("root", "DIR"), how_to_set("skip_bad_images")
    ('--root DIR, in a plan root = "DIR"', '--skip-bad-images, in a plan skip_bad_images = true')
    """
    option = f"--{name.replace('_', '-')}"
    return f'{option} {value}, in a plan {name} = "{value}"' if value else f"{option}, in a plan {name} = true"


def with_usable_cache(read: ReadConfig) -> tuple[ReadConfig, tuple[str, ...]]:
    """The settings, without a cache if nothing can be written to its folder, and a note if so."""
    try:
        if folder := read.cache_folder:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()  # permissions do not show a full or read-only disk
    except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home folder
        note = (
            f"nothing can be written to the cache ({error}): the work goes on without it, or with another one "
            f"({how_to_set('cache', 'DIR')})"
        )
        return replace(read, cache_images=False), (note,)
    return read, ()
