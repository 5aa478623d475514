"""The worked examples in the docstrings are true, and every public function has one."""

import doctest
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

from bmip import metrics

MODULES = [name for _, name, _ in pkgutil.iter_modules(metrics.__path__, "bmip.metrics.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    done = doctest.testmod(importlib.import_module(name), extraglobs={"np": np})
    assert done.failed == 0
    assert done.attempted > 0


def test_every_function_has_an_example() -> None:
    functions = [name for name in metrics.__all__ if not inspect.isclass(getattr(metrics, name))]
    assert [name for name in functions if ">>>" not in getattr(metrics, name).__doc__] == []
