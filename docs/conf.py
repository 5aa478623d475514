"""How Sphinx makes a site of the pages: `make docs`, which needs no network.

The sources are the Markdown files where they lie, so that the links between them hold on a code host as well.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tools.site

project = "bmip"
extensions = ["myst_parser", "sphinx.ext.autodoc", "tools.site"]
include_patterns = ["README.md", "docs/*.md", "benchmarks/*.md", "src/bmip/embedded/*/*.md"]
exclude_patterns = [".*", "build", "runs"]  # folders that are not looked into
root_doc = "docs/index"
smartquotes = False  # they would make a dash of the two hyphens of an option

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"

html_theme = "furo"
html_title = "bmip"
html_math_renderer = "mathml"
html_additional_pages = {"index": "forward.html"}
html_copy_source = False
html_show_copyright = False
templates_path = ["../tools/site"]
