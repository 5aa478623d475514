"""Command-line options made from dataclasses, and the checking of values against their types."""

from __future__ import annotations

import ast
import enum
import inspect
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from bmip.system.messages import nearest


@dataclass(frozen=True)
class Documented:
    """A field of a dataclass with the sentence that stands below it."""

    name: str
    type: Any
    default: Any
    doc: str

    @property
    def choices(self) -> tuple[str, ...]:
        return get_args(self.type) if get_origin(self.type) is Literal else ()


def documented_fields(config: type) -> list[Documented]:
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


def with_fields(
    config: type,
    *,
    into: str,
    panel: str,
    otherwise: str = "",
    leave_out: Sequence[str] = (),
    flags: Mapping[str, str] | None = None,
    make: Callable[..., Any] = dict,
) -> Callable[[Callable], Callable]:
    """Gives a command an option for each field of a dataclass.

    The command's parameter `into` receives `make(**given)`, where `given` are the options that stand on the command
    line. `otherwise` follows the field's default in the help text. `flags` spells the options of some fields otherwise.
    """

    def decorate(command: Callable) -> Callable:
        known = [field for field in documented_fields(config) if field.name not in leave_out]

        def run(**given: Any) -> Any:
            found = {field.name: given.pop(field.name) for field in known}
            plain = {name: value.value if isinstance(value, enum.Enum) else value for name, value in found.items()}
            made = make(**{name: value for name, value in plain.items() if value is not None})
            return command(**given, **{into: made})

        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name != into]
        added = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=_annotation(field, panel, otherwise, (flags or {}).get(field.name)),
            )
            for field in known
        ]
        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        run.__doc__, run.__name__ = command.__doc__, command.__name__
        run.__signature__ = signature.replace(parameters=[*keyword, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*keyword, *added)}
        return run

    return decorate


def _annotation(field: Documented, panel: str, otherwise: str, flags: str | None) -> Any:
    default = "on" if field.default is True else "off" if field.default is False else field.default
    help = field.doc if default == "" else f"{field.doc} [{default}{otherwise}]".strip().replace("[", "\\[")
    kind: Any = field.type
    if field.choices:
        kind = enum.Enum(field.name, {choice: choice for choice in field.choices})
    flag = f"--{field.name.replace('_', '-')}"
    flags = flags or (f"{flag}/--no-{flag[2:]}" if kind is bool else flag)
    return Annotated[kind | None, typer.Option(flags, help=help, rich_help_panel=panel, show_default=False)]


def parse_settings(pairs: Iterable[str], config: type, owner: str) -> dict[str, Any]:
    """`key=value` pairs as options of a configuration, each in the type of its field.

    Raises ValueError that names the option, the type it needs and the nearest known name.
    """
    known = {field.name: field for field in documented_fields(config)}
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not sign:
            raise ValueError(f"--set {pair}: write it as --set name=value")
        if name not in known:
            raise ValueError(f"{owner} has no option {name!r}: {nearest(name, known, 'it has')}")
        found[name] = _parsed(text.strip(), known[name])
    return found


def _parsed(text: str, field: Documented) -> Any:
    truth = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if field.choices:
        if text not in field.choices:
            raise ValueError(f"{field.name} is {text!r}; choose one of {', '.join(field.choices)}")
        return text
    if field.type is bool:
        if text.lower() not in truth:
            raise ValueError(f"{field.name} is {text!r}; it is on or off: write true or false")
        return truth[text.lower()]
    if field.type in (int, float):
        try:
            return field.type(text)
        except ValueError:
            kind = "whole number" if field.type is int else "number"
            raise ValueError(f"{field.name} is {text!r}; a {kind} is needed") from None
    if field.type is str:
        return text
    raise ValueError(f"{field.name} cannot be set from the command line")


def spread(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """`--data X Y` as `--data X --data Y`, for options that take several values."""
    spread_out: list[str] = []
    current: str | None = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            return [*spread_out, *arguments[position:]]
        if argument.startswith("-") and not _is_number(argument):
            current = argument if argument in options else None
            spread_out.append(argument)
        elif current is not None and spread_out[-1] != current:
            spread_out += [current, argument]
        else:
            spread_out.append(argument)
    return spread_out


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
