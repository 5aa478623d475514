"""The fields of a dataclass with the sentence that stands below each of them."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_KINDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True)
class Documented:
    """A field of a dataclass."""

    name: str
    type: Any
    """The annotated type; of `int | None` it is `int`."""

    default: Any
    """None where the field has none."""

    doc: str
    """The sentences below the field, as one line; empty where there are none."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a field whose type is a Literal; empty for other types."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def kind(self) -> str:
        """What its values are, in words."""
        return f"one of {', '.join(self.choices)}" if self.choices else _KINDS.get(self.type, "of another type")

    def admits(self, value: Any) -> bool:
        """Whether a value has its type. A whole number is a number, too; a truth value is no number."""
        if value is None:
            return self.default is None
        if self.choices:
            return value in self.choices
        return self.type not in _KINDS or type(value) is self.type or (self.type is float and type(value) is int)


def documented_fields(config: type) -> list[Documented]:
    """The fields of a dataclass in their order, those that it inherits included."""
    hints = get_type_hints(config)
    docs = {name: doc for kind in reversed(config.__mro__) if is_dataclass(kind) for name, doc in _docs(kind).items()}
    return [
        Documented(
            field.name,
            _without_none(hints[field.name]),
            None if field.default is MISSING else field.default,
            docs.get(field.name, ""),
        )
        for field in fields(config)
    ]


def _docs(config: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(config))
    except (OSError, TypeError):
        return {}
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else ""
            docs[field.target.id] = " ".join(str(text).split())
    return docs


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (part for part in get_args(kind) if part is not type(None))
    return kind
