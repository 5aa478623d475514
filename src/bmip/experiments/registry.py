"""The protocols that can be asked for by name. Their names are known without importing them, so without torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bmip.system.messages import nearest

if TYPE_CHECKING:
    from bmip.experiments.protocol import Protocol

_HOMES = {
    "base-to-novel": "bmip.experiments.protocols.base_to_novel:PROTOCOL",
    "few-shot": "bmip.experiments.protocols.few_shot:PROTOCOL",
    "cross-dataset": "bmip.experiments.protocols.transfer:CROSS_DATASET",
    "domain": "bmip.experiments.protocols.transfer:DOMAIN",
    "open-world": "bmip.experiments.protocols.open_world:PROTOCOL",
    "ratio-sweep": "bmip.experiments.protocols.ratio_sweep:PROTOCOL",
    "validation": "bmip.experiments.search:PROTOCOL",
}
"""For each name the module and the variable that hold the protocol."""


def protocol_names() -> tuple[str, ...]:
    """The names of all protocols."""
    return tuple(_HOMES)


def protocols() -> tuple[Protocol, ...]:
    """All protocols."""
    return tuple(map(protocol, _HOMES))


def protocol(name: str) -> Protocol:
    """The protocol of this name. Raises ValueError for an unknown name, with the nearest right one."""
    if name not in _HOMES:
        raise ValueError(f"there is no protocol {name!r}: {nearest(name, _HOMES, 'there is')}")
    module, _, variable = _HOMES[name].partition(":")
    return getattr(import_module(module), variable)
