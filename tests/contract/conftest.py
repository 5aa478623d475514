"""The battery takes lists of 60 or 80 templates by their first few: it asks how a list is used, not what it says.

`tests/golden` and `tests/methods` take them whole.
"""

import pytest

from bmip.methods import promptsrc, zero_shot

FEW = 4


@pytest.fixture(autouse=True)
def few_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROMPTSRC_60", "IMAGENET_80"):
        monkeypatch.setattr(promptsrc, name, getattr(promptsrc, name)[:FEW])
    monkeypatch.setattr(zero_shot, "_LISTS", {name: every[:FEW] for name, every in zero_shot._LISTS.items()})
