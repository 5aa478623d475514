"""What a person is told beside a result, on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from bmip.cli.console import note
from bmip.clip.loading.backbones import EMBEDDED, STANDARD
from bmip.data.names import embedded_names

if TYPE_CHECKING:
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
