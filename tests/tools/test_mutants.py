"""The parts of the code that `python -m tools.mutants` changes, and the tests that it asks, are there."""

import re

import pytest

from tools.mutants import COPIED, PARTS, ROOT, Part

PARTED = pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))


@PARTED
def test_patterns_name_code_and_tests_exist(part: Part) -> None:
    for pattern in part.code:
        assert [file for file in (ROOT / "src" / "bmip").glob(pattern) if file.suffix == ".py"], pattern
    paths = [given for given in part.tests if given.startswith("tests")]
    assert paths and all((ROOT / path).exists() for path in paths)


def test_what_is_copied_exists() -> None:
    assert all((ROOT / name).exists() for name in COPIED)


def test_the_page_has_every_part() -> None:
    page = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page.partition("## Mutation testing")[2], re.MULTILINE)) == set(PARTS)
