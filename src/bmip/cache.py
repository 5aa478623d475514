"""Where things are kept that can be made again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """$BMIP_CACHE, else bmip/ in the user's cache folder."""
    if chosen := os.environ.get("BMIP_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bmip"
