"""Checks content read from JSON against the fields of the dataclass that is made from it."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bmip.metrics import Count
from bmip.run_spec import Settings

_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "null"}
_SETTING = (bool, int, float, str)

Check = Callable[[Any, str], None]
"""Takes a value and the name of its field. Raises ValueError where the value does not fit."""


def check(content: Any, kind: type, name: str = "") -> None:
    """Raises ValueError that names the first field that the dataclass `kind` lacks, or has as another type.

    `name` is the field that holds `content`; empty for the whole.
    """
    whole = name or "the line"
    if not isinstance(content, dict):
        raise ValueError(f"{whole} is {content!r:.60}, an object is needed")
    known = _fields(kind)
    if unknown := sorted(content.keys() - known.keys()):
        raise ValueError(f"{whole} has a field {unknown[0]!r} that this version of bmip does not know")
    for field, (check_field, needed) in known.items():
        if field in content:
            check_field(content[field], f"{name}.{field}" if name else field)
        elif needed:
            raise ValueError(f"{whole} lacks the field {field!r}")


@cache
def _fields(kind: type) -> Mapping[str, tuple[Check, bool]]:
    """For each field the check of its values, and whether it has no default."""
    hints = get_type_hints(kind)
    return {
        field.name: (_check_of(hints[field.name]), field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    }


@cache
def _check_of(hint: Any) -> Check:
    """The check of a value of this type. It is made once: a file may have very many rows."""
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda value, name: check(value, hint, name)
    if get_origin(hint) is Mapping:
        check_one = _check_of(get_args(hint)[1])

        def check_all(value: Any, name: str) -> None:
            if not isinstance(value, dict):
                raise ValueError(f"{name} is {value!r:.60}, an object is needed")
            for key, inside in value.items():
                check_one(inside, f"{name}.{key}")

        return check_all
    fits = _test_of(hint)

    def check_value(value: Any, name: str) -> None:
        if not fits(value):
            raise ValueError(f"{name} is {value!r:.60}, {_needed(hint)} is needed")

    return check_value


@cache
def _test_of(hint: Any) -> Callable[[Any], bool]:
    """Returns whether a value is of this type."""
    if hint is Any:
        return lambda value: True
    if hint == Settings:
        return lambda value: isinstance(value, dict) and all(type(one) in _SETTING for one in value.values())
    if hint is Count:
        return _is_count
    if get_origin(hint) is Literal:
        return lambda value: value in get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        tests = [_test_of(one) for one in get_args(hint)]
        return lambda value: any(test(value) for test in tests)
    if get_origin(hint) is tuple:
        test = _test_of(get_args(hint)[0])
        return lambda value: isinstance(value, list) and all(map(test, value))
    if hint is float:
        return lambda value: type(value) in (int, float) and math.isfinite(value)
    return lambda value: type(value) is hint


def _is_count(value: Any) -> bool:
    whole = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
    return whole and 0 <= value[0] <= value[1] and value[1] > 0


def _needed(hint: Any) -> str:
    """The type in words."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(map(_needed, get_args(hint)))
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    if hint is Count:
        return "[right, total] with 0 <= right <= total and total > 0"
    if get_origin(hint) is tuple and hint != Settings:
        return "a list of text"
    return _KINDS.get(hint, "an object")
