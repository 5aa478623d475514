"""Checks of single values in a plan. What is wrong raises PlanError, which names the place and what is needed there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bmip.system.messages import nearest


class PlanError(ValueError):
    """A plan that cannot be read; the message names the place in the file and what is needed there."""


def a_list(value: Any, kind: type, place: str) -> tuple:
    """The values of a list of texts (`kind` str) or of numbers from 0 on (int); a single one needs no brackets."""
    values = value if isinstance(value, list) else [value]
    if not all(type(one) is kind for one in values):
        what = {str: "texts", int: "whole numbers"}[kind]
        raise PlanError(f"{place} is {value!r}; it must be a list of {what}")
    if kind is int and any(one < 0 for one in values):
        raise PlanError(f"{place} is {value!r}; no number may be below 0")
    return tuple(values)


def a_text(value: Any, name: str) -> str:
    """The value, if it is a text."""
    if not isinstance(value, str):
        raise PlanError(f"{name} is {value!r}; it must be a text")
    return value


def a_table(content: Mapping[str, Any], name: str, place: str) -> dict[str, Any]:
    """The table of this name; an empty one where there is none."""
    found = content.get(name, {})
    if not isinstance(found, dict):
        raise PlanError(f"{place}: {name} is {found!r}; it must be a table")
    return found


def check_known(content: Iterable[str], known: Sequence[str], place: str) -> None:
    """Refuses a name that is not known."""
    for name in content:
        if name not in known:
            raise PlanError(f"{place} has no setting {name!r}: {nearest(name, known, 'it has')}")


def with_variables(text: str) -> str:
    """The text with $NAME replaced by that environment variable, which must be set."""
    found = os.path.expandvars(text)
    if left := re.search(r"\$\{?\w+", found):
        raise PlanError(f"{text!r} needs the environment variable {left[0].strip('${')}, which is not set")
    return found
