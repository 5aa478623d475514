"""The methods whose released code stores checkpoints."""

from __future__ import annotations

from bmip.methods import combination_names, load_method, method_names
from bmip.prompting.method_spec import MethodSpec
from bmip.prompting.released import Released


def released_of(name: str) -> tuple[MethodSpec, Released]:
    """The method, and how its released code stores what it trained. Raises ValueError for a method without."""
    method = load_method(name)
    if method.released is None:
        known = [one for one in (*method_names(), *combination_names()) if load_method(one).released]
        raise ValueError(
            f"{method.name} has no released checkpoints; there are those of {', '.join(known).replace('_', '-')}"
        )
    return method, method.released
