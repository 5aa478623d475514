"""TCP: prompts made of each class's own sentence enter an upper layer of the text tower. (Yao et al. 2024, CVPR)

(htyao89/Textual-based_Class-aware_prompt_tuning, trainers/tcp.py)
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods import cocoop, kgcoop
from bmip.prompting import (
    CLIP,
    ClassNames,
    Given,
    Method,
    MethodSpec,
    Preset,
    Prompter,
    Prompts,
    Released,
    TextLayout,
    Tuned,
    check_positive,
    check_slots,
    check_top,
    quick_gelu,
    random_slots,
)


@dataclass(frozen=True)
class Config(kgcoop.Extra):
    """The options of TCP."""

    slots: int = 4
    """Prompt tokens before the class name."""

    top: int = 4
    """From which layer on the prompt tokens are the class's own, counted from the top: 4 is the ninth of 12."""

    bottleneck: int = 4
    """How many times narrower than the class features the hidden layer of the network is."""


class TCP(Prompter):
    """Prompt tokens at the bottom of the text tower; in an upper layer each class's own take their place.

    Args:
        start: what the prompt tokens at the bottom start from.
        out: width of the class features.
        layer: the number of the layer that the class's own tokens enter, counted from 0.
        bottleneck: how many times narrower the hidden layer of the network is that makes them.
    """

    reads_class_features = True

    def __init__(self, start: Float[Tensor, "slot width"], *, out: int, layer: int, bottleneck: int) -> None:
        super().__init__()
        self.layer, self.context = layer, nn.Parameter(start)
        inner = max(1, out // bottleneck)
        self.narrow, self.widen = nn.Linear(out, inner), nn.Linear(inner, start.numel())

    def layout(self, classes: ClassNames) -> TextLayout:
        _, end = classes.template.split("{}")
        slots = len(self.context)
        return TextLayout(f"{'X ' * slots}{{}}{end}", slots=slots, per_class=True)

    def forward(self, given: Given) -> Prompts:
        own = self.widen(quick_gelu(self.narrow(given.class_features)))
        between = [None] * (self.layer - 1)
        return Prompts(text=[self.context[None, None], *between, own.unflatten(-1, self.context.shape)[None]])


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """TCP. Raises ValueError for options below 1, and where the class's own tokens would enter the lowest layer."""
    check_slots(config.slots, "text")
    check_positive(config, "bottleneck")
    check_top(config.top, len(clip.text.blocks) - 1, "text")
    start = random_slots(config.slots, clip.text.width)
    layer = len(clip.text.blocks) - config.top
    return Method(prompter=TCP(start, out=clip.config.out, layer=layer, bottleneck=config.bottleneck))


RELEASED = Released(
    folder="prompt_learner",
    part="prompt_learner",
    names=lambda config, clip: {
        "prompter.context": "prompt_learner.ctx",
        "prompter.narrow": "prompt_learner.meta_net.linear1",
        "prompter.widen": "prompt_learner.meta_net.linear2",
    },
    options=cocoop.released_options,
    fixed=("slots", "top", "bottleneck"),
)

_SOURCE = "htyao89/Textual-based_Class-aware_prompt_tuning, scripts/base2new_train.sh and the README's eps"
_TRAINING = {"optimizer": "adam", "eps": 1e-3, "lr": 0.002, "epochs": 50, "batch": 32}

METHOD = MethodSpec(
    name="tcp",
    summary="TCP: text prompts made of the class's own fixed sentence, in an upper layer. (Yao et al. 2024, CVPR)",
    Config=Config,
    build=build,
    watched=frozenset({"text"}),
    presets={
        "default": Preset(_SOURCE, training=_TRAINING),
        "released": Preset(
            f"{_SOURCE}; 25 epochs on ImageNet and SUN397, as train.py sets them",
            training=_TRAINING,
            by_data={data: Tuned(training={"epochs": 25}) for data in ("imagenet", "sun397")},
        ),
    },
    Extra=kgcoop.Extra,
    extras=kgcoop.extras,
    released=RELEASED,
)
