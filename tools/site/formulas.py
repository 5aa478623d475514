"""Formulas as MathML, which browsers draw by themselves; Sphinx's own way would load a script from another host."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml


def inline(writer: Any, node: nodes.math) -> None:
    """A formula within a line."""
    writer.body.append(str(latex2mathml.tex2mathml(node.astext())))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.math_block) -> None:
    """A formula on a line of its own."""
    writer.body.append(str(latex2mathml.tex2mathml(node.astext(), as_block=True)))
    raise nodes.SkipNode


def nothing(writer: Any, node: nodes.Node) -> None:
    """What follows a formula: both functions above have written all of it."""
