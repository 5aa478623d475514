"""`bmip inspect RUN`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bmip.cli import common_options
from bmip.cli.command import Command
from bmip.cli.console import add, line, note, out, table
from bmip.system.messages import counted, first_few

if TYPE_CHECKING:
    from bmip.prompting.checkpoint import Description

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip inspect runs/pets")
def inspect(
    run: common_options.Run,
    words: Annotated[int, typer.Option(min=0, help="How many words to show for each text prompt token.")] = 3,
    backbone: common_options.OwnBackbone = None,
    debug: common_options.Debug = False,
) -> None:
    """Show what trained prompts are: method, CLIP, training, sizes, gate weights, and the words nearest to them.

    The gate weights are means over the test images, which a run folder has. For the nearest words the CLIP is needed.
    """
    from bmip.prompting.checkpoint import CheckpointError, read_checkpoint
    from bmip.training.hub import located

    run = located(run)
    description, tensors = read_checkpoint(run)
    shown = table("prompts", str(run))
    for name, value in _facts(description).items():
        add(shown, name, value)
    out().print(shown)
    sizes = table("trainable parameter", "shape", "numbers")
    for name, tensor in sorted(tensors.items(), key=lambda item: _natural(item[0])):
        add(sizes, name, " x ".join(map(str, tensor.shape)) or "1", f"{tensor.numel():,}")
    add(sizes, "all", "", f"{sum(tensor.numel() for tensor in tensors.values()):,}")
    out().print(sizes)
    _show_gauges(run, description)
    if not words:
        return
    from bmip.cli.load_run import load_run

    try:
        model = load_run(run, backbone, "cpu")
    except (CheckpointError, FileNotFoundError) as error:
        note(f"the nearest words need the CLIP: {error}")
        return
    from bmip.explaining.words import nearest_words

    try:
        found = nearest_words(model, words)
    except ValueError as error:
        note(str(error))
        return
    if not found:
        line("no text prompts in the first layer, so no words are nearest to them")
        return
    near = table("text prompt token of the first layer", "nearest words (cosine)")
    for one in found:
        add(near, one.slot, ", ".join(f"{word} {value:.2f}" for word, value in one.words))
    out().print(near)


def _natural(name: str) -> list[tuple[int, str]]:
    """The parts of a tensor's name, with numbers in the order of numbers."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


def _facts(description: Description) -> dict[str, str]:
    spec = description.spec
    options = ", ".join(f"{name}={value}" for name, value in description.options.items())
    training = ", ".join(f"{name}={value}" for name, value in description.training.items())
    on = f"{spec.described()} of {spec.data or 'images that were given'} ({spec.classes} classes)"
    return {
        "method": f"{spec.method_name}, preset {spec.preset}",
        "options": options or "none",
        "CLIP": f"{description.backbone}, weights {description.backbone_hash[:12]}",
        **({"imported from": description.imported} if description.imported else {"trained on": on}),
        "data": description.split_hash[:12] or ("unknown" if description.imported else "not trained"),
        "classes": f"{counted(len(description.classes), 'class')}: {first_few(description.classes.names, 10)}",
        "sentence": repr(description.classes.template),
        "training": training or ("unknown" if description.imported else "none"),
    }


def _show_gauges(run: Path, description: Description) -> None:
    """The means that a run folder keeps of what its prompts' gauges showed; for BMIP a note where there are none."""
    from bmip.training.run_folder import GAUGES

    file = (run if run.is_dir() else run.parent) / GAUGES
    if not file.exists():
        if description.spec.method_name.partition("+")[0] == "bmip":
            note("the gate weights are not known: only the folder of a run keeps their means over its test images")
        return
    try:
        readings = json.loads(file.read_text(encoding="utf-8"))
        rows = [(one["quantity"], one["tower"], str(one["layer"]), f"{one['mean']:.3f}") for one in readings]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is damaged ({error}): delete it") from error
    shown = table("mean over the test images", "tower", "layer", "value")
    for row in rows:
        add(shown, *row)
    out().print(shown)
