"""Features of images and classes as files for other programs."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Features:
    """Features as `PromptedCLIP.image_features` and `class_features` give them: `scale * image_features @
    class_features.T` are the logits, unless `PromptedCLIP.logits_need` names something."""

    images: tuple[str, ...]
    image_features: Float[np.ndarray, "image out"]
    classes: tuple[str, ...]
    """Empty where class features differ between images."""

    class_features: Float[np.ndarray, "class out"]
    scale: float


def check_writable(file: Path) -> None:
    """Makes the folder of a file that will be written. Raises ImportError where Parquet needs pyarrow, and OSError
    where the file cannot be written."""
    if file.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise ImportError("Parquet needs the package pyarrow: pip install 'bmip[parquet]'")
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder: name a file")
    file.parent.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=file.parent).close()


def to_npz(features: Features) -> bytes:
    """The arrays `images`, `image_features`, `classes`, `class_features` and `scale`; names are text."""
    file = io.BytesIO()
    np.savez(
        file,
        images=np.array(features.images, dtype=np.str_),
        image_features=features.image_features,
        classes=np.array(features.classes, dtype=np.str_),
        class_features=features.class_features,
        scale=np.float32(features.scale),
    )
    return file.getvalue()


def to_parquet(features: Features) -> bytes:
    """A row for each image and each class: `kind` ("image" or "class"), `name`, `feature` and `scale`."""
    import pyarrow
    from pyarrow import parquet

    together = np.concatenate([features.image_features, features.class_features]).astype(np.float32)
    kinds = ["image"] * len(features.images) + ["class"] * len(features.classes)
    table = pyarrow.table(
        {
            "kind": pyarrow.array(kinds, pyarrow.string()),
            "name": pyarrow.array([*features.images, *features.classes], pyarrow.string()),
            "feature": pyarrow.FixedSizeListArray.from_arrays(together.reshape(-1), together.shape[1]),
            "scale": pyarrow.array([features.scale] * len(kinds), pyarrow.float32()),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


FORMATS: Mapping[str, Callable[[Features], bytes]] = {".npz": to_npz, ".parquet": to_parquet}
"""The content of the file for each ending of its name."""
