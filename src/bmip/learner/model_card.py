"""The model card of trained prompts: a page that says all that a user must know, without any other page."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import ModelCardData

from bmip.clip.loading.backbones import EMBEDDED, backbones
from bmip.evaluation.evaluate import Predictions
from bmip.metrics import accuracy_interval
from bmip.prompting.checkpoint import Description
from bmip.run_spec import shots_text
from bmip.system.messages import counted
from bmip.training.history import History

MANY = 100  # class names in a card


@dataclass(frozen=True, eq=False)
class Measured:
    """The predictions of the prompts and of CLIP without them for the same images."""

    data: str
    """The name of the data, and which part of them was evaluated."""

    trained: Predictions
    zero_shot: Predictions


def model_card(
    repository: str,
    description: Description,
    *,
    summary: str,
    trainable: int,
    remembered: int = 0,
    in_epochs: bool = True,
    any_classes: bool = True,
    history: History | None = None,
    measured: Sequence[Measured] = (),
) -> str:
    """The text of README.md in a repository of the hub, with the metadata that the hub reads at its top.

    Args:
        repository: the name of the repository, such as "someone/pets".
        description: of the prompts, as it can be shared.
        summary: one sentence on the method.
        trainable: the number of trained parameters; 0 where the method trains nothing.
        remembered: how many numbers the files hold beside them that are features of training images.
        in_epochs: whether the training loop trains the parameters; otherwise the method makes them at once.
        any_classes: whether the prompts can be asked about other classes than those of training.
        history: how training went, where that is known.
        measured: the evaluations that are reported.
    """
    spec = description.spec
    hub = next((one.hub for one in backbones() if one.name == description.backbone), None)
    base = hub or (description.backbone if description.backbone_revision else None)
    data = ModelCardData(
        base_model=base,
        library_name="bmip",
        pipeline_tag="zero-shot-image-classification",
        tags=["clip", "prompt-learning", "few-shot", spec.method_name],
    )
    names = description.classes.names
    for_command, for_python = (
        (f" --classes {_asked(names[:3])}", f", classes={list(names[:3])!r}") if any_classes else ("", "")
    )
    shown = ", ".join(names[:MANY]) + (f" and {len(names) - MANY} more (in prompts.json)" if len(names) > MANY else "")
    return f"""---
{data.to_yaml().strip()}
---

# {repository.partition("/")[2] or repository}

Prompts for a frozen CLIP, {"trained" if trainable else "made"} with `bmip` and the method `{spec.method_name}`: \
{summary} {_held(trainable, remembered)}

## How to use them

With the package `bmip`, which `pip install .` installs in a clone of its repository:

```sh
bmip predict {repository} photo.jpg{for_command}
```

```python
from bmip import PromptLearner

learner = PromptLearner.from_pretrained("{repository}")
learner.predict(["photo.jpg"]{for_python})
```

{_classes_sentence(any_classes)} {_clip_sentence(description.backbone, base)}

## What they were made of

{
        _table(
            {
                "method": f"{spec.method_name}, preset {spec.preset}",
                "options": _pairs(description.options),
                "CLIP": f"{base or description.backbone}",
                "CLIP's revision on the hub": description.backbone_revision or "not from the hub",
                "SHA-256 of CLIP's weights": description.backbone_hash,
                "sentence": f"`{description.classes.template}`",
                **_training(description, learned=trainable + remembered > 0, in_epochs=in_epochs and trainable > 0),
            }
        )
    }

The {counted(len(names), "class")} of training: {shown}.

## Numbers

{_numbers(measured)}

## Cost

{_cost(trainable, remembered, in_epochs, history)}
"""


def _held(trainable: int, remembered: int) -> str:
    if trainable:
        beside = f", {remembered:,} numbers that are features of training images," if remembered else ""
        return f"The files hold the {trainable:,} trained numbers{beside} and nothing of CLIP."
    if remembered:
        return f"Nothing was trained: the files hold {remembered:,} numbers that are features of training images."
    return "Nothing was trained: the files hold the method's options and nothing of CLIP."


def _training(description: Description, *, learned: bool, in_epochs: bool) -> dict[str, Any]:
    spec = description.spec
    if description.imported:
        return {"imported from a checkpoint of the method's released code": description.imported}
    if not learned:
        return {"training": "none: the method learns nothing from images"}
    drawn = ", drawn at random" if spec.shots else ""
    return {
        "data": spec.data or "images that were given one by one",
        "SHA-256 of the training data": description.split_hash or "not trained",
        "protocol": f"{shots_text(spec.shots)} of each class{drawn}; {spec.classes} classes",
        "seed of the draw, the order and the augmentation": spec.data_seed,
        "seed of the first prompts": spec.init_seed,
        **({"settings of training": _pairs(description.training) or "none"} if in_epochs else {}),
    }


def _classes_sentence(any_classes: bool) -> str:
    if any_classes:
        return "Any class names will do, not only those of training."
    return "These prompts learned something of their own for each class, so they know the classes of training only."


def _clip_sentence(backbone: str, base: str | None) -> str:
    if backbone == EMBEDDED:
        return "Their CLIP comes with `bmip`."
    if base:
        return "Their CLIP is downloaded when it is first needed."
    return (
        "Their CLIP is from a file that is not on the hub: name yours with `--backbone` or `backbone=`. Its "
        "weights must have the hash below."
    )


def _numbers(measured: Sequence[Measured]) -> str:
    if not measured:
        return "None were measured when these prompts were shared."
    lines = [
        "| data | classes | images | accuracy in % (95 % CI) | CLIP without prompts (95 % CI) |",
        "|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {one.data} | {len(one.trained.classes)} | {one.trained.total} | {_with_interval(one.trained)} | "
        f"{_with_interval(one.zero_shot)} |"
        for one in measured
    ]
    said = (
        "The intervals are over the draw of the test images (Wilson), for this one training; other seeds differ more."
    )
    return "\n".join([*lines, "", said])


def _with_interval(found: Predictions) -> str:
    low, high = accuracy_interval(found.correct, found.total)
    return f"{found.accuracy:.1f} ({low:.1f} to {high:.1f})"


def _cost(trainable: int, remembered: int, in_epochs: bool, history: History | None) -> str:
    numbers = f"{trainable:,} trained numbers" + (f" and {remembered:,} remembered ones" if remembered else "")
    size = f"{numbers}, {(trainable + remembered) * 4 / 1e6:.1f} MB."
    if not trainable:
        return f"{size} Nothing was trained."
    if not in_epochs:
        return f"{size} The method computes them from the features of the training images, without epochs of training."
    if history is None:
        return f"{size} How long training took is not known."
    seconds = sum(epoch.seconds for epoch in history.epochs)
    return f"{size} Training took {seconds:.0f} s in {counted(len(history.epochs), 'epoch')}."


def _pairs(values: Any) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _table(rows: dict[str, Any]) -> str:
    cells = (f"| {name} | {str(value).replace('|', chr(92) + '|')} |" for name, value in rows.items())
    return "\n".join(["| | |", "|---|---|", *cells])


def _asked(names: Sequence[str]) -> str:
    """The names for a shell: as one text, or as several where a name has a comma in it."""
    return shlex.join(names) if any("," in name for name in names) else shlex.quote(", ".join(names))
