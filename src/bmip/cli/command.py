"""A command whose options of list type take several values, on the command line and in its completion."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

_OPEN = "bmip.open_option"


class Command(TyperCommand):
    """A command in which `--data X Y` means `--data X --data Y`, for each option whose annotation is a list."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Spreads the values out and remembers the option that another value would belong to."""
        several = {name: option for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        given = spread(args, several)
        if len(given) > 1:
            ctx.meta[_OPEN] = several.get(given[-2])
        return super().parse_args(ctx, given)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The values of the option that takes several and stands last; without one the names of the options."""
        if (option := ctx.meta.get(_OPEN)) is not None and not incomplete.startswith("-"):
            return option.shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)

    def get_params(self, ctx: Any) -> Any:
        """The parameters as the help text shows them."""
        return shown(super().get_params(ctx))


class Group(TyperGroup):
    """Commands below a command, with the options as the help text shows them."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters as the help text shows them."""
        return shown(super().get_params(ctx))


def shown(parameters: list[Any]) -> list[Any]:
    """The same parameters: options show NAME, or NAME... for several values, and no type. So do arguments.

    An on/off option shows nothing. `typer` would show `<bool>`, `<str>` and `<list[str]>`.
    """
    for one in parameters:
        if one.param_type_name == "argument":
            one.display_type_rich = lambda ctx: None
        elif getattr(one, "is_flag", False):
            one.metavar = ""
        elif one.metavar is None:
            one.metavar = one.opts[0][2:].upper() + "..." * one.multiple
    return parameters


def spread(arguments: Sequence[str], options: Collection[str]) -> list[str]:
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
