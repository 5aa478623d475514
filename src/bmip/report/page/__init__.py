"""One static page of a comparison: sections of plain values, written as HTML and as Markdown."""
