"""The settings of a pre-training run, and its schedule."""

import math
from dataclasses import dataclass
from typing import Literal

IMAGE_SIZE = 48
"""Pixels along each side of an image of a scene. (`SIZE` in embedded/scenes/render.py, which needs torch)"""

_LEAST = {
    "shallow_steps": 0, "deep_steps": 0, "batch": 2, "width": 1, "heads": 1, "context": 3, "vocabulary": 514,
    "threads": 1, "evaluate_every": 0, "evaluate_images": 1, "seed": 0,
}  # fmt: skip
"""The least of what is counted. One pair has nothing to contrast, a sentence is start, one token and end at least, and
a vocabulary has each byte within a word and at its end, start and end."""


@dataclass(frozen=True)
class PretrainConfig:
    """The settings of a pre-training run; the defaults are those of the embedded weights.

    Raises ValueError for a setting that makes no run. Whether this machine has the device shows when the run begins.
    """

    shallow_steps: int = 18000
    """Steps in which each tower has `shallow_layers` layers. Most is learned in them, at a third of the cost."""

    deep_steps: int = 3600
    """Steps in which each tower has `layers` layers."""

    batch: int = 128
    """Pairs of an image and a caption in each step."""

    alike: float = 0.33
    """The share of batches in which all things are of one group, so that they are hard to tell apart."""

    shallow_layers: int = 4
    """Layers of each tower at the start."""

    layers: int = 12
    """Layers of each tower at the end. CLIP has 12 too, so a method's depth of 9 means the same."""

    width: int = 128
    """Channels of the tokens in both towers, and of the features."""

    heads: int = 2
    """Attention heads of each layer."""

    patch: int = 8
    """Side of the square that becomes a token, in pixels."""

    context: int = 32
    """Tokens of the longest sentence, the start and end tokens and prompt tokens included."""

    vocabulary: int = 4096
    """Tokens of the tokeniser at most. There are fewer if every word of the captions is a token already."""

    matrix_lr: float = 0.01
    """Highest learning rate of the matrices in the layers, which Muon trains."""

    lr: float = 1e-3
    """Highest learning rate of everything else, which AdamW trains."""

    weight_decay: float = 0.01
    """The share of a matrix that one step with a learning rate of 1 would remove."""

    warmup: float = 0.04
    """The share of the run in which the learning rate rises to its highest value; it then falls along a cosine."""

    richest_at: float = 0.5
    """The share of the run after which scenes are as rich as they get. They start as single things on plain grounds."""

    attributes_until: float = 0.7
    """The share of the run after which the loss of the attribute heads is zero. It falls along a line."""

    attribute_weight: float = 1.0
    """Weight of the attribute heads' loss at the start; the contrastive loss has weight 1."""

    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Number type of the products; weights and loss are float32. bfloat16 takes half the time on processors that know
    it (avx512_bf16, AMX) and on GPUs; float32 is faster on others."""

    device: str = "cpu"
    """The device that computes, as torch names it; auto is a GPU if there is one."""

    threads: int = 2
    """Processor threads for the towers; one more draws the images."""

    checkpoint_minutes: float = 3.0
    """Minutes between two checkpoints."""

    evaluate_every: int = 1000
    """Steps between two zero-shot evaluations on the validation splits, which go to the log; 0 for none."""

    evaluate_images: int = 10
    """Images per class in those evaluations."""

    seed: int = 0
    """The weights, the images and the captions are drawn from it."""

    def __post_init__(self) -> None:
        if not 1 <= self.shallow_layers <= self.layers:
            raise ValueError(
                f"{self.shallow_layers} layers do not grow to {self.layers}: begin with 1 to {self.layers}"
            )
        for name, least in _LEAST.items():
            self._check(name, least <= getattr(self, name), f"at least {least}")
        if self.steps == 0:
            raise ValueError(f"{self.shallow_steps} and {self.deep_steps} steps: at least one is needed")
        if self.width % self.heads:
            raise ValueError(f"width is {self.width} and must be a multiple of heads, {self.heads}: change one of them")
        self._check("patch", 1 <= self.patch <= IMAGE_SIZE, f"from 1 to {IMAGE_SIZE}")
        for name in ("alike", "warmup"):
            self._check(name, 0 <= getattr(self, name) <= 1, "a share from 0 to 1")
        for name in ("richest_at", "attributes_until"):
            self._check(name, 0 < getattr(self, name) <= 1, "a share above 0 and at most 1")
        for name in ("matrix_lr", "lr", "weight_decay", "attribute_weight", "checkpoint_minutes"):
            self._check(name, 0 <= getattr(self, name) < math.inf, "at least 0, and finite")

    def _check(self, name: str, good: bool, needed: str) -> None:
        if not good:
            raise ValueError(f"{name} is {getattr(self, name)!r}; it must be {needed}")

    @property
    def steps(self) -> int:
        """The number of all steps."""
        return self.shallow_steps + self.deep_steps

    def progress(self, step: int) -> float:
        """The share of the run's computation that is done before a step, 0 to 1."""
        shallow, deep = self.shallow_layers, self.layers
        whole = self.shallow_steps * shallow + self.deep_steps * deep
        return (min(step, self.shallow_steps) * shallow + max(0, step - self.shallow_steps) * deep) / whole

    def step_size(self, step: int) -> float:
        """The learning rate of a step as a share of the highest one: a line in the warm-up, then half a cosine."""
        done = self.progress(step)
        if done < self.warmup:
            return (done / self.warmup) or self.progress(1) / self.warmup / 2
        return 0.5 + 0.5 * math.cos(math.pi * (done - self.warmup) / (1 - self.warmup))

    def difficulty(self, step: int) -> float:
        """How rich the scenes of a step are, from 0 to 1."""
        return min(1.0, self.progress(step) / self.richest_at)

    def attribute_share(self, step: int) -> float:
        """Weight of the attribute heads' loss in a step."""
        return self.attribute_weight * max(0.0, 1 - self.progress(step) / self.attributes_until)
