"""The protocols that can be asked for by name."""

from __future__ import annotations

from bmip.experiments import search
from bmip.experiments.protocol import Protocol
from bmip.experiments.protocols import base_to_novel, few_shot, open_world, ratio_sweep
from bmip.experiments.protocols.transfer import CROSS_DATASET, DOMAIN
from bmip.system.messages import nearest

_PROTOCOLS = {
    found.name: found
    for found in (
        base_to_novel.PROTOCOL,
        few_shot.PROTOCOL,
        CROSS_DATASET,
        DOMAIN,
        open_world.PROTOCOL,
        ratio_sweep.PROTOCOL,
        search.PROTOCOL,
    )
}


def protocols() -> tuple[Protocol, ...]:
    return tuple(_PROTOCOLS.values())


def protocol(name: str) -> Protocol:
    """Raises ValueError for an unknown name, with the nearest right one."""
    if name not in _PROTOCOLS:
        raise ValueError(f"there is no protocol {name!r}: {nearest(name, _PROTOCOLS)}")
    return _PROTOCOLS[name]
