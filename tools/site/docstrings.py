"""Docstrings as reStructuredText: `code` between single backticks, and Google's sections Args and Raises."""

from __future__ import annotations

import re
from typing import Any

from sphinx.ext.napoleon.docstring import GoogleDocstring


def docstring(app: Any, what: Any, name: str, documented: Any, options: Any, lines: list[str]) -> None:
    """Rewrites the lines in place. A sentence on an attribute has no sections: its colon is only a colon."""
    marked = re.sub(r"`+([^`]+)`+", r"``\1``", "\n".join(lines)).split("\n")
    lines[:] = marked if what in ("attribute", "property") else GoogleDocstring(marked, what=what, name=name).lines()
