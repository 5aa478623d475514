"""The benchmark's class list is what its tables say it is."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.class_names import COUNTS, chosen, class_names
from bmip.clip.tokenizer import Tokenizer


def test_lengths() -> None:
    names = class_names(500)
    lengths = [len(Tokenizer.default().encode(name)) for name in names]
    assert len(set(names)) == 500
    assert Counter(lengths) == COUNTS
    assert sum(lengths) == 3 * 500
    assert (min(lengths), max(lengths)) == (1, 8)
    for count in (10, 50, 100, 200):
        assert abs(sum(lengths[:count]) / count - 3) < 0.11


def test_the_file_is_what_the_rule_makes() -> None:
    assert tuple(chosen(Tokenizer.default())) == class_names(500)


def test_no_more_names_than_there_are() -> None:
    with pytest.raises(ValueError, match="the list holds 500 names; 501 were asked for"):
        class_names(501)
