"""What a person is told beside a result, on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from bmip.cli.console import note
from bmip.clip.loading.backbones import EMBEDDED, STANDARD
from bmip.data.names import embedded_names
from bmip.system.messages import first_few

if TYPE_CHECKING:
    from bmip.class_names import ClassNames
    from bmip.prompting.model import PromptedCLIP


def remark_on_drawings(backbone: str, data: Iterable[str]) -> None:
    """Says that the embedded CLIP does not know photographs, where it classifies other images than its own."""
    if backbone == EMBEDDED and any(name not in embedded_names() for name in data):
        note(
            f"the {EMBEDDED} CLIP knows drawings only: on other images it is for trying things out; "
            f"for results take --backbone {STANDARD}"
        )


def remark_on_template(model: PromptedCLIP, method: str, template: str) -> None:
    """Says that a template which was asked for does not change how the model classifies, where that is so."""
    layouts = [model.prompter.layout(replace(model.classes, template=one)) for one in ("{}", "a {}")]
    if template and layouts[0] == layouts[1]:
        note(
            f"{method} has a sentence of its own around the class names, so --template does not change how it "
            "classifies; it changes zero-shot, and what the losses of some methods compare with"
        )


def remark_on_one_name(classes: ClassNames) -> None:
    """Says that one class name alone gets every image."""
    if len(classes) == 1:
        note(
            f"there is one class name, {classes.names[0]!r}, so it gets 100 % of every image: separate names by commas"
        )


def remark_on_threshold(chosen_for: ClassNames, asked: ClassNames) -> None:
    """Says that a threshold was chosen for other classes, or another sentence, than those that are asked about."""
    if set(chosen_for.names) != set(asked.names):
        note(
            f"the threshold was chosen for other classes ({first_few(chosen_for.names)}), so its share of false alarms "
            "need not hold for these: choose it with `bmip calibrate` and the same --classes"
        )
    elif chosen_for.template != asked.template:
        note(
            f"the threshold was chosen with the sentence {chosen_for.template!r}: choose it with `bmip calibrate` and "
            f"--template {asked.template!r}"
        )
