"""Trained prompts on the Hugging Face hub."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import (
    EntryNotFoundError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from bmip.prompting.checkpoint import NAME, CheckpointError
from bmip.system.files import write_text
from bmip.system.messages import first_line

FILES = [f"{NAME}.{kind}" for kind in ("safetensors", "json", "threshold.json")]
"""All that is fetched."""


def is_repository(place: str | Path) -> bool:
    """Whether a place of prompts names a repository on the hub.

    What begins like a path that exists, such as runs/pets where there is a folder runs, is a path.
    """
    path = Path(place)
    there = path.exists() or path.parent.exists()
    return not there and re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(place)) is not None


def located(place: str | Path) -> Path:
    """The folder or file of prompts: a path, or the prompts of a repository on the hub, which are fetched.

    Raises CheckpointError for a repository that does not exist or cannot be reached.
    """
    if not is_repository(place):
        return Path(place)
    name = str(place)
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=FILES))
    except (RepositoryNotFoundError, HFValidationError, EntryNotFoundError) as error:
        if isinstance(error, LocalEntryNotFoundError):
            raise _unreachable(name, error) from error
        raise CheckpointError(f"there is no folder {name}, nor a repository of this name on the hub") from error
    except Exception as error:  # of the library for HTTP, which changes with the version
        raise _unreachable(name, error) from error


def push(
    save: Callable[[Path], None], repository: str, card: str, *, private: bool = False, token: str | None = None
) -> str:
    """Writes the prompts and their model card to a repository, which is created if need be; returns its address.

    `save` writes the prompts into a folder. Raises ValueError where the hub refuses or cannot be reached.
    """
    hub = huggingface_hub.HfApi(token=token)
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder))
        write_text(Path(folder) / "README.md", card)
        try:
            address = hub.create_repo(repository, private=private, exist_ok=True)
            hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Prompts trained with bmip")
        except Exception as error:  # of the library for HTTP, which changes with the version
            reason = first_line(error)
            raise ValueError(f"the prompts cannot be written to {repository} on the hub ({reason})") from error
    return str(address)


def _unreachable(name: str, error: Exception) -> CheckpointError:
    reason = first_line(error)
    return CheckpointError(f"there is no folder {name}, and the hub cannot be asked for it ({reason})")
