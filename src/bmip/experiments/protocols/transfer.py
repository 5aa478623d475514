"""Prompts that were trained on one data set, evaluated on others. (CoOp, section 4.2; CoCoOp, sections 4.2 and 4.3)"""

from __future__ import annotations

from bmip.class_names import as_read
from bmip.data.dataset import DataError
from bmip.experiments.default_data import SHIFTS, SOURCE, TARGETS
from bmip.experiments.evaluated_parts import Load, Parts, check_images, few_shot
from bmip.experiments.protocol import Protocol
from bmip.experiments.trial import Trial


def _to_other_classes(trial: Trial, load: Load) -> Parts:
    source = few_shot(trial, load)
    target = load(trial.target) if trial.target else source
    check_images(target, "its classes")
    return Parts(source, {"all": target}, template_from=target if trial.target else None)


def _to_other_images(trial: Trial, load: Load) -> Parts:
    """A sentence is chosen on the source: choosing it on the shifted images would be knowing the shift."""
    parts = _to_other_classes(trial, load)
    known = set(map(as_read, parts.train.classes.names))
    new = [name for name in parts.evaluated["all"].classes.names if as_read(name) not in known]
    if new:
        raise DataError(
            f"{trial.target} is no shifted {trial.run.data}, which has no class {new[0]!r}: evaluate it with "
            "cross-dataset"
        )
    return Parts(parts.train, parts.evaluated)


CROSS_DATASET = Protocol(
    "cross-dataset",
    "Prompts are trained on 16 images of every class of one data set, the source. The same prompts then classify the "
    "test images of other data sets, the targets, each among all of its own class names. The mean over the targets, "
    "without the source, says how well prompts carry over to classes and images of another kind.",
    _to_other_classes,
    data=(SOURCE,),
    targets=TARGETS,
    preset="cross-dataset",
)

DOMAIN = Protocol(
    "domain",
    "Prompts are trained on 16 images of every class of one data set, the source. The same prompts then classify other "
    "pictures of the same classes: drawn again, in another style, among other things. The mean over these shifted "
    "variants, without the source, says how well prompts bear a change of the images alone.",
    _to_other_images,
    data=(SOURCE,),
    targets=SHIFTS,
    preset="cross-dataset",
)
