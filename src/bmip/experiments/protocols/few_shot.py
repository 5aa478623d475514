"""Few-shot: learn all classes of a data set from a few images each. (CoOp, section 4.1)"""

from __future__ import annotations

from bmip.experiments.evaluated_parts import Load, Parts, check_images, few_shot
from bmip.experiments.protocol import Protocol
from bmip.experiments.trial import Trial


def _parts(trial: Trial, load: Load) -> Parts:
    drawn = few_shot(trial, load)
    check_images(drawn, "its classes")
    return Parts(drawn, {"all": drawn})


PROTOCOL = Protocol(
    "few-shot",
    "Prompts are trained on 1, 2, 4, 8 or 16 images of every class of a data set. All test images are then classified "
    "among all class names, each of which training has seen. The accuracy over the number of shots says how much a "
    "method learns from how little.",
    _parts,
    shots=(1, 2, 4, 8, 16),
)
