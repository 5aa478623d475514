"""Tests that every method must pass, and tiny CLIPs and data sets to test with. Nothing here needs pytest.

`check_method("my.module")` runs all checks. `cases` and `checks` give them one by one, for a test that is parametrised.
"""

from bmip.testing.battery import check_method, checks
from bmip.testing.case import Case, cases
from bmip.testing.tiny import tiny_clip, tiny_dataset

__all__ = ["Case", "cases", "check_method", "checks", "tiny_clip", "tiny_dataset"]
