"""Open world: train on base classes, classify base and novel images among all names. (DeCoOp; OpenworldAUC)"""

from __future__ import annotations

from bmip.data.sampling import base_novel_labels, only_classes
from bmip.experiments.evaluated_parts import Evaluated, Joint, Load, Parts, Trained, check_images, few_shot
from bmip.experiments.protocol import Protocol
from bmip.experiments.trial import Trial
from bmip.metrics import open_world


def joint_parts(trial: Trial, load: Load) -> Parts:
    """Trained on the base classes, as in base-to-novel; evaluated on all classes, of which the base ones come first."""
    whole = few_shot(trial, load)
    base, novel = base_novel_labels(whole, trial.run.base)
    check_images(whole, "the base classes", base)
    check_images(whole, "the novel classes", novel)
    return Parts(only_classes(whole, base), {"joint": only_classes(whole, [*base, *novel])})


def _evaluate(trained: Trained) -> Evaluated:
    joint, base = Joint.of(trained, "joint"), len(trained.parts.train.classes)
    halves = range(base), range(base, len(joint.dataset.classes))
    found = open_world(joint.labels.numpy(), joint.logits.numpy(), *(joint.among(half).numpy() for half in halves))
    counts = {name: getattr(found, name) for name in ("base", "novel", "base_joint", "novel_joint", "joint")}
    scores = {name: getattr(found, name) for name in ("auroc", "fpr95", "openworld_auc")}
    return Evaluated(counts, scores, {"joint": joint.predictions()})


PROTOCOL = Protocol(
    "open-world",
    "Prompts are trained on the base classes, as in base-to-novel. Base and novel test images are then classified "
    "among base and novel names together, so that nothing tells beforehand which half an image belongs to. Open-world "
    "accuracy counts all images; H is the harmonic mean of both halves evaluated for themselves, AUROC says how well "
    "the highest base probability tells base from novel images, and OpenworldAUC joins both.",
    joint_parts,
    _evaluate,
    classes="base",
    one_rule=True,
)
