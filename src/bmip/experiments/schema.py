"""Checks content read from JSON against the fields of the dataclass that is made from it."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bmip.metrics import Count
from bmip.run_spec import Settings

_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "null"}


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
    for field, (hint, needed) in known.items():
        if field in content:
            _check_value(content[field], hint, f"{name}.{field}" if name else field)
        elif needed:
            raise ValueError(f"{whole} lacks the field {field!r}")


@cache
def _fields(kind: type) -> Mapping[str, tuple[Any, bool]]:
    """The type of each field, and whether it has no default."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    }


def _check_value(value: Any, hint: Any, name: str) -> None:
    if is_dataclass(hint) and isinstance(hint, type):
        check(value, hint, name)
    elif get_origin(hint) is Mapping and isinstance(value, dict):
        for key, inside in value.items():
            _check_value(inside, get_args(hint)[1], f"{name}.{key}")
    elif not _fits(value, hint):
        raise ValueError(f"{name} is {value!r:.60}, {_needed(hint)} is needed")


def _fits(value: Any, hint: Any) -> bool:
    if hint is Any:
        return True
    if hint == Settings:
        return isinstance(value, dict) and all(isinstance(one, bool | int | float | str) for one in value.values())
    if hint is Count:
        whole = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
        return whole and 0 <= value[0] <= value[1] and value[1] > 0
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, list) and all(_fits(one, get_args(hint)[0]) for one in value)
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint


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
