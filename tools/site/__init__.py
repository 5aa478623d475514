"""What the site has that its pages do not: the order of pages, the command line, formulas, and docstrings as they are.

`docs/conf.py` loads it into Sphinx.
"""

from typing import Any

from tools.site.command_line import command_line
from tools.site.docstrings import docstring
from tools.site.formulas import block, inline, nothing
from tools.site.navigation import navigation


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _complete)
    app.connect("autodoc-process-docstring", docstring)
    app.add_html_math_renderer("mathml", (inline, nothing), (block, nothing))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _complete(app: Any, page: str, source: list[str]) -> None:
    if page == app.config.root_doc:
        source[0] += navigation(source[0])
    elif page == "docs/command-line":
        source[0] += command_line()
