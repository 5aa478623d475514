"""Backbones and data sets for trials, each loaded once and handed out ready to use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from bmip.clip.feature_memory import FeatureMemory
from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.clip.text import TextTower
from bmip.data.dataset import Dataset, split_hash
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.experiments.evaluated_parts import Parts
from bmip.experiments.failures import Failure, failure_of
from bmip.experiments.registry import protocol
from bmip.experiments.results import Hashes
from bmip.experiments.trial import Trial
from bmip.run_spec import RunSpec
from bmip.system.device import pick_device


class Resources:
    """Loads backbones and data sets when they are first asked for, and keeps them.

    Args:
        device: where backbones are put; see `pick_device`.
        load: loads a data set by its name.
        backbone: loads a CLIP by its name.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        load: Callable[[str, ReadConfig], Dataset] = load_dataset,
        backbone: Callable[[str], CLIP] = load_clip,
    ) -> None:
        self.device = pick_device(device)
        self._load, self._backbone = load, backbone
        self._datasets: dict[tuple[str, ReadConfig], tuple[Dataset, str]] = {}
        self._clip: tuple[tuple[str, str], CLIP] | None = None
        self._backbone_hashes: dict[str, str] = {}
        self.chunk_tokens: int | None = None
        """How many tokens of class texts run at once, where memory was short; None for the usual number."""

    def dataset(self, name: str, read: ReadConfig) -> Dataset:
        """The data set of that name, read as `read` says. Raises DataError as `load_dataset` does."""
        return self._dataset(name, read)[0]

    def clip_for(self, run: RunSpec) -> CLIP:
        """The run's CLIP on the device, its matrices in the run's precision. Only one is kept in memory at a time.

        It remembers features: trials evaluate the same images, and many methods leave the image tower alone.
        """
        key = run.backbone, run.precision
        if self._clip is None or self._clip[0] != key:
            self._clip = None
            self._clip = key, self._backbone(run.backbone).to(self.device).set_precision(run.precision)
            self._clip[1].memory = FeatureMemory()
        clip = self._clip[1]
        clip.text.chunk_tokens = self.chunk_tokens or TextTower.chunk_tokens
        return clip

    @contextmanager
    def smaller_chunks(self, factor: int) -> Iterator[None]:
        """Meanwhile class texts run in chunks that are smaller by this factor, which takes less memory."""
        self.chunk_tokens = max(1, TextTower.chunk_tokens // factor)
        try:
            yield
        finally:
            self.chunk_tokens = None

    def parts(self, trial: Trial) -> Parts:
        """What the trial trains on and evaluates. Raises DataError for data that do not fit the protocol."""
        return protocol(trial.protocol).parts(trial, lambda name: self.dataset(name, trial.run.read))

    def hashes(self, trial: Trial) -> Hashes:
        """The hashes of the trial's backbone and data sets."""
        run = trial.run
        if run.backbone not in self._backbone_hashes:
            self._backbone_hashes[run.backbone] = self.clip_for(run).sha256
        target = self._dataset(trial.target, run.read)[1] if trial.target else ""
        return Hashes(self._backbone_hashes[run.backbone], self._dataset(run.data, run.read)[1], target)

    def _dataset(self, name: str, read: ReadConfig) -> tuple[Dataset, str]:
        if (name, read) not in self._datasets:
            dataset = self._load(name, read)
            self._datasets[name, read] = dataset, split_hash(dataset)
        return self._datasets[name, read]


def unreadable(trials: Iterable[Trial], resources: Resources) -> dict[Trial, Failure]:
    """The trials of which a data set cannot be read, with the cause. Each data set is tried once."""

    @cache
    def fault(name: str, read: ReadConfig) -> Failure | None:
        try:
            resources.dataset(name, read)
        except (ValueError, OSError) as error:
            return failure_of(error)
        return None

    found: dict[Trial, Failure] = {}
    for trial in trials:
        names = (trial.run.data, trial.target) if trial.target else (trial.run.data,)
        for name in names:
            if (failure := fault(name, trial.run.read)) is not None:
                found.setdefault(trial, failure)
    return found
