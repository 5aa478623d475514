"""ProDA: many prompts for each class, trained as a distribution of class features. (Lu et al. 2022, CVPR)

A quarter of the prompts has the class name in front, a quarter in the middle, half at the end. Training minimises an
upper bound of the expected loss under a normal distribution of the class features; a classifier is their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import (
    CLIP,
    ClassNames,
    ClassTexts,
    Given,
    Method,
    MethodSpec,
    Position,
    Preset,
    Prompter,
    Prompts,
    Released,
    Shapes,
    Step,
    Term,
    TextLayout,
    bare_template,
    check_slots,
    random_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of ProDA."""

    prompts: int = 32
    """How many prompts there are for each class; a multiple of 4."""

    slots: int = 16
    """Prompt tokens in each prompt."""

    at_once: int = 4
    """How many of the prompts are drawn for each training step."""

    orthogonality: float = 0.1
    """Weight of the mean absolute cosine between prompts without a class name; the released code has 0."""

    raw_names: bool = False
    """As in the released code, keep the underscores in class names."""


class ProDA(Prompter):
    """Many prompts, of which each training step sees a few and a classifier the mean of all.

    `width` is that of the text tower.
    """

    def __init__(self, config: Config, width: int) -> None:
        super().__init__()
        self.config = config
        self.context = nn.Parameter(random_slots(config.prompts, config.slots, width))
        quarter = config.prompts // 4
        self.groups: dict[Position, int] = {"front": quarter, "middle": quarter, "end": config.prompts - 2 * quarter}
        self.drawn = torch.arange(config.prompts)
        """The numbers of the prompts in the last forward pass."""

    def layout(self, classes: ClassNames) -> Sequence[TextLayout]:
        return [self.sentence(position) for position in self.groups]

    def sentence(self, position: Position) -> TextLayout:
        """The layout of the prompts whose class name stands at this position."""
        slots = self.config.slots
        return TextLayout(bare_template(slots), slots=slots, position=position, raw_names=self.config.raw_names)

    def pool(self, each: Float[Tensor, "sentence class out"]) -> Float[Tensor, "1 class out"]:
        return each.mean(0, keepdim=True)

    def forward(self, given: Given) -> Prompts:
        count = len(self.context)
        few = self.training and self.config.at_once < count
        chosen = torch.randperm(count)[: self.config.at_once].sort().values if few else torch.arange(count)
        self.drawn = chosen
        bounds = (0, *accumulate(self.groups.values()))
        parts = [chosen[(first <= chosen) & (chosen < end)] for first, end in pairwise(bounds)]
        return Prompts(sentences=[[self.context[part][:, None]] for part in parts])


class Spread(Term):
    """What the variance of the class features over the prompts adds to the cross-entropy. (Lu et al., equation 11)"""

    def forward(self, step: Step) -> dict[str, Tensor]:
        f = step.image_features
        deviations = step.sentence_features - step.sentence_features.mean(0)
        variances = deviations.square().sum(0)  # (class, out), over K + 1 below, as released
        own = step.labels
        across = torch.einsum("ie,kie,kce->ic", f.square(), deviations[:, own], deviations)
        of_own = (f.square() * variances[own]).sum(-1, keepdim=True)
        sigma = (of_own + f.square() @ variances.T - 2 * across) / (len(deviations) + 1)
        bound = F.cross_entropy(step.logits + step.scale**2 / 2 * sigma, own)
        return {"spread": bound - F.cross_entropy(step.logits, own)}


class Orthogonality(Term):
    """The weighted mean absolute cosine between the features of the prompts at hand, without a class name."""

    def __init__(self, prompter: ProDA) -> None:
        super().__init__()
        self.prompter = (prompter,)  # in a tuple: its tensors are the prompter's, not the term's
        self._texts: ClassTexts | None = None

    def forward(self, step: Step) -> dict[str, Tensor]:
        (prompter,) = self.prompter
        clip = step.teacher.clip
        if self._texts is None:
            self._texts = clip.texts([""], prompter.sentence("end"))
        prompts = prompter.context[prompter.drawn][:, None]
        features = F.normalize(clip.encode_text(self._texts, [prompts])[:, 0].to(prompts.dtype), dim=-1)
        cosines = (features @ features.T).abs()
        pairs = len(cosines) * (len(cosines) - 1)
        return {"orthogonality": prompter.config.orthogonality * (cosines.sum() - cosines.trace()) / max(1, pairs)}


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """ProDA. Raises ValueError for a number of prompts that is no multiple of 4, and for none at once."""
    check_slots(config.slots, "text")
    if config.prompts < 4 or config.prompts % 4:
        raise ValueError(f"{config.prompts} prompts do not split into quarters: choose a multiple of 4")
    if config.at_once < 1:
        raise ValueError(f"{config.at_once} prompts at once: a training step needs at least one")
    prompter = ProDA(config, clip.text.width)
    terms: list[Term] = [Spread()]
    if config.orthogonality:
        terms.append(Orthogonality(prompter))
    return Method(prompter=prompter, terms=terms)


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    prompts, slots, _ = shapes.of("prompt_learner.ctx", 3)
    return {"prompts": prompts, "slots": slots}


RELEASED = Released(
    folder="prompt_learner",
    names=lambda config, clip: {"prompter.context": "prompt_learner.ctx"},
    options=released_options,
    fixed=("raw_names",),
)

_SOURCE = "LAMDASZ-ML/BMIP, trainers/proda.py and configs/trainers/ProDA"
_TRAINING = {"optimizer": "sgd", "lr": 0.001, "epochs": 100, "batch": 4, "warmup_epochs": 5}

METHOD = MethodSpec(
    name="proda",
    summary="ProDA: many prompts for each class, trained as a distribution of class features. (Lu et al. 2022, CVPR)",
    Config=Config,
    build=build,
    presets={
        "default": Preset(f"{_SOURCE}, its faults mended (docs/fidelity.md)", training=_TRAINING),
        "released": Preset(_SOURCE, options={"orthogonality": 0.0, "raw_names": True}, training=_TRAINING),
    },
    released=RELEASED,
)
