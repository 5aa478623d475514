"""What a pre-training run is, and its one schedule."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PretrainConfig:
    """The defaults are those of the embedded weights."""

    shallow_steps: int = 6700
    """Steps with `shallow_layers` layers per tower, which learn most of what there is at a third of the cost."""

    deep_steps: int = 1400
    """Steps after growing to `layers` layers."""

    batch: int = 128
    """Pairs per step."""

    choice: int = 4
    """Scenes to choose each pair from, so that a batch can be of images that are alike."""

    shallow_layers: int = 4
    layers: int = 12
    """Per tower, as CLIP has them: a method's depth of 9 keeps its meaning."""

    width: int = 128
    """Of both towers and of the joint space."""

    heads: int = 2
    patch: int = 8
    context: int = 32
    """Tokens of the longest text, [start], [end] and prompt slots included."""

    vocabulary: int = 2048
    """At most; smaller when every word of the captions is a token of its own."""

    matrix_lr: float = 0.02
    """Peak step of the blocks' matrices, which Muon trains."""

    lr: float = 2e-3
    """Peak step of everything else, which AdamW trains."""

    weight_decay: float = 0.01
    """Share of a matrix that a step of 1 would remove."""

    warmup: float = 0.04
    """Share of the run in which the step grows to its peak; a cosine brings it down."""

    whole_world_at: float = 0.5
    """Share of the run in which the images grow from plain single things to the whole world."""

    attributes_until: float = 0.7
    """Share of the run in which the loss of the attribute heads fades to zero."""

    attribute_weight: float = 1.0
    """Of that loss at the start, against the contrastive loss."""

    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Of the products; weights and loss are float32. On processors without bfloat16 products float32 is faster."""

    device: str = "cpu"
    threads: int = 2
    """Processor threads for the towers; one more renders."""

    checkpoint_minutes: float = 3.0
    evaluate_every: int = 1000
    """Steps between zero-shot evaluations on the validation splits, which go to the log; 0 for none."""

    evaluate_images: int = 10
    """Images per class in those evaluations."""

    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.shallow_layers <= self.layers:
            raise ValueError(
                f"{self.shallow_layers} layers do not grow to {self.layers}: begin with 1 to {self.layers}"
            )
        if self.batch < 2:
            raise ValueError(f"a batch of {self.batch} has nothing to contrast: use 2 or more")
        if self.shallow_steps < 0 or self.deep_steps < 0 or self.steps == 0:
            raise ValueError(f"{self.shallow_steps} and {self.deep_steps} steps: at least one is needed")

    @property
    def steps(self) -> int:
        """The number of all steps."""
        return self.shallow_steps + self.deep_steps

    def progress(self, step: int) -> float:
        """Share of the run's computation that is done before a step, in 0..1."""
        shallow, deep = self.shallow_layers, self.layers
        whole = self.shallow_steps * shallow + self.deep_steps * deep
        return (min(step, self.shallow_steps) * shallow + max(0, step - self.shallow_steps) * deep) / whole

    def step_size(self, step: int) -> float:
        """Share of the peak step size: linear warm-up, then half a cosine."""
        done = self.progress(step)
        if done < self.warmup:
            return (done / self.warmup) or self.progress(1) / self.warmup / 2
        return 0.5 + 0.5 * math.cos(math.pi * (done - self.warmup) / (1 - self.warmup))

    def difficulty(self, step: int) -> float:
        """How much of the rendered world a step draws from: 0 to 1, where 1 is all of it."""
        return min(1.0, self.progress(step) / self.whole_world_at)

    def attribute_share(self, step: int) -> float:
        """Weight of the attribute heads' loss."""
        return self.attribute_weight * max(0.0, 1 - self.progress(step) / self.attributes_until)
