"""The folder of one training run: what was asked, where it ran, how it went, and what came out.

    config.json          what was asked for; a folder serves one configuration
    environment.json     machine and versions, once for every change of them
    metrics.jsonl        one line per epoch
    state.safetensors    all that is needed to go on; gone when the run is complete
    prompts.safetensors, prompts.json    the checkpoint
    predictions.csv      of the test split; written last

Every file is replaced at once, so a run may be killed at any moment. One process at a time may work in a folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class RunFolderError(ValueError):
    """A run folder that does not fit what is asked."""


class RunFolder:
    def __init__(self, path: str | Path, config: dict[str, Any]) -> None:
        """Create the folder, or open it to go on.

        Raises RunFolderError, with the differences, where it holds another configuration.
        """
        self.path = Path(path)
        raise NotImplementedError

    @property
    def complete(self) -> bool:
        """Whether checkpoint and predictions are written."""
        raise NotImplementedError
