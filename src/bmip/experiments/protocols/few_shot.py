"""Few-shot: learn all classes of a data set from a few images each. (CoOp, section 4.1)"""

from __future__ import annotations

from collections.abc import Callable

from bmip.data.dataset import Dataset
from bmip.data.sampling import sample_few_shot
from bmip.experiments.evaluated_parts import Parts, check_images
from bmip.experiments.protocol import Protocol
from bmip.experiments.trial import Trial


def _parts(trial: Trial, load: Callable[[str], Dataset]) -> Parts:
    drawn = sample_few_shot(load(trial.run.data), trial.run.shots, trial.run.data_seed)
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
