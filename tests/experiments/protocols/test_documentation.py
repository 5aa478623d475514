"""docs/protocols.md says of each protocol what the protocol says of itself."""

from pathlib import Path

import pytest

from bmip.experiments.protocol import Protocol
from bmip.experiments.registry import protocols

PAGE = (Path(__file__).parents[3] / "docs" / "protocols.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("protocol", protocols(), ids=lambda protocol: protocol.name)
def test_the_page_says_what_the_protocol_says(protocol: Protocol) -> None:
    _, found, rest = PAGE.partition(f"\n## {protocol.name}\n")
    assert found
    assert " ".join(rest.partition("\n## ")[0].split()) == protocol.meaning


@pytest.mark.parametrize("protocol", protocols(), ids=lambda protocol: protocol.name)
def test_the_page_says_whose_training_it_uses(protocol: Protocol) -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{protocol.name}` |"))
    last = line.rstrip(" |").rpartition("|")[2].strip()
    first = next(one for one in protocols() if (one.classes, one.split) == (protocol.classes, protocol.split))
    assert last == ("itself" if first is protocol else f"`{first.name}`")
