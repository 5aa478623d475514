"""Pictures and tables for the page on the embedded default and for its model card."""
