"""Command-line options made from dataclasses, and the checking of values against their types."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer

from bmip.system.documented import Documented, documented_fields
from bmip.system.messages import nearest


def with_fields(
    config: type,
    *,
    into: str,
    panel: str,
    otherwise: str = "",
    leave_out: Sequence[str] = (),
    flags: Mapping[str, str] | None = None,
    metavars: Mapping[str, str] | None = None,
    make: Callable[..., Any] = dict,
) -> Callable[[Callable], Callable]:
    """Gives a command an option for each field of a dataclass.

    The command's parameter `into` receives `make(**given)`, where `given` are the options that stand on the command
    line. `otherwise` follows the field's default in the help text. `flags` spells the options of some
    fields otherwise, and `metavars` says what stands for their values in the help text.
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
                annotation=_annotation(
                    field, panel, otherwise, (flags or {}).get(field.name), (metavars or {}).get(field.name)
                ),
            )
            for field in known
        ]
        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        run.__doc__, run.__name__ = command.__doc__, command.__name__
        run.__signature__ = signature.replace(parameters=[*keyword, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*keyword, *added)}
        return run

    return decorate


def _annotation(field: Documented, panel: str, otherwise: str, flags: str | None, metavar: str | None) -> Any:
    default = "on" if field.default is True else "off" if field.default is False else field.default
    help = field.doc if default in ("", None) else f"{field.doc} [{default}{otherwise}]".strip().replace("[", "\\[")
    kind: Any = field.type
    if field.choices:
        kind = enum.Enum(field.name, {choice: choice for choice in field.choices})
        metavar = "|".join(field.choices)
    flag = f"--{field.name.replace('_', '-')}"
    pair = kind is bool and (field.default is not False or otherwise)
    flags = flags or (f"{flag}/--no-{flag[2:]}" if pair else flag)
    return Annotated[
        kind | None, typer.Option(flags, help=help, rich_help_panel=panel, show_default=False, metavar=metavar)
    ]


def parse_settings(pairs: Iterable[str], options: Iterable[Documented], owner: str) -> dict[str, Any]:
    """`key=value` pairs as values of options, each in the type of its option.

    Raises ValueError that names the option, the type it needs and the nearest known name; `owner` has the options.
    """
    known = {option.name: option for option in options}
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
