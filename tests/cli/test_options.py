from dataclasses import dataclass
from typing import Literal

import pytest

from bmip.cli.command import spread
from bmip.cli.options import parse_settings
from bmip.system.documented import documented_fields


@dataclass(frozen=True)
class Config:
    depth: int = 9
    """Layers that
    are prompted."""

    share: bool = True
    lr: float | None = None
    gate: Literal["image", "batch"] = "image"
    context: str = "a photo"


def test_fields_carry_their_docstrings_and_choices() -> None:
    fields = {field.name: field for field in documented_fields(Config)}
    assert fields["depth"].doc == "Layers that are prompted."
    assert fields["share"].doc == ""
    assert fields["lr"].type is float
    assert fields["gate"].choices == ("image", "batch")


def test_values_get_the_types_of_their_fields() -> None:
    pairs = ["depth=3", "share=no", "lr=1e-3", "gate=batch", "context=a = b"]
    assert parse_settings(pairs, documented_fields(Config), "it") == {
        "depth": 3,
        "share": False,
        "lr": 1e-3,
        "gate": "batch",
        "context": "a = b",
    }


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("depth", "write it as --set name=value"),
        ("dpth=3", "it has no option 'dpth': did you mean 'depth'"),
        ("depth=3.5", "depth is '3.5'; a whole number is needed"),
        ("lr=fast", "lr is 'fast'; a number is needed"),
        ("share=perhaps", "share is 'perhaps'; it is on or off"),
        ("gate=both", "gate is 'both'; choose one of image, batch"),
    ],
)
def test_a_wrong_setting_is_named(pair: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_settings([pair], documented_fields(Config), "it")


def test_several_values_after_one_option() -> None:
    given = ["base-to-novel", "--method", "a", "b", "--seeds", "1", "-2", "--shots", "4", "--data", "x"]
    assert spread(given, ("--method", "--seeds", "--data")) == [
        "base-to-novel",
        *("--method", "a", "--method", "b"),
        *("--seeds", "1", "--seeds", "-2"),
        *("--shots", "4"),
        *("--data", "x"),
    ]


def test_what_follows_two_dashes_is_left_alone() -> None:
    assert spread(["--data", "x", "--", "--data", "y", "z"], ("--data",)) == ["--data", "x", "--", "--data", "y", "z"]
