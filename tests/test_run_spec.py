"""One description of a run: what it is equal to, how it is written, and what its folder is called."""

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.data.read_config import ReadConfig
from bmip.run_spec import FORMAT, RunSpec, check_format, default_backbone, settings

SPEC = RunSpec(method="bmip", data="x", options=settings(depth=3, context="a"), training=settings(lr=0.1))
OTHERS = {
    "method": "maple",
    "data": "y",
    "classes": "base",
    "base": ("red", "blue"),
    "split": "val",
    "read": ReadConfig(split_seed=2),
    "preset": "released",
    "options": settings(depth=4),
    "training": settings(lr=0.2),
    "shots": 4,
    "data_seed": 2,
    "init_seed": 2,
    "backbone": "ViT-B/32",
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_field_counts(name: str) -> None:
    other = replace(SPEC, **{name: OTHERS[name]})
    assert other != SPEC and other.folder != SPEC.folder and other.hash() != SPEC.hash()
    assert RunSpec.from_json(json.loads(json.dumps(other.to_json()))) == other


def test_the_hash_stays_what_it_was() -> None:
    """Another hash gives every run another folder: nothing that was trained before would be found."""
    assert SPEC.hash() == "6cb54c729f"
    assert SPEC.folder == "x/bmip-all-16-shots-seeds-1-1-6cb54c729f"


def test_the_fields_are_all_tried() -> None:
    assert OTHERS.keys() == {field.name for field in fields(RunSpec)}


@pytest.mark.parametrize(
    ("data", "backbone"),
    [
        *((name, "embedded") for name in ("digits", "things-v2")),
        *((name, "ViT-B/16") for name in ("dtd", "./digits", "photos", "hub:cifar10")),
    ],
)
def test_the_data_choose_the_backbone_that_is_not_named(data: str, backbone: str) -> None:
    assert RunSpec(method="bmip", data=data).backbone == backbone == default_backbone([data, data])
    assert RunSpec(method="bmip", data=data, backbone="x").backbone == "x"
    assert replace(RunSpec(method="bmip"), data=data).backbone == backbone


def test_data_of_both_kinds_need_a_named_backbone() -> None:
    with pytest.raises(ValueError, match="of digits, photos only some come with bmip; name one: --backbone embedded"):
        default_backbone(["digits", "photos"])
    with pytest.raises(ValueError, match="name one: --backbone"):
        default_backbone([])


@given(st.dictionaries(st.text(), st.one_of(st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False))))
def test_settings_have_no_order(values: dict) -> None:
    backwards = dict(reversed(values.items()))
    assert settings(values) == settings(backwards)
    spec = replace(SPEC, options=settings(values))
    assert RunSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_where_files_lie_has_no_effect() -> None:
    elsewhere = replace(SPEC, read=ReadConfig(root="/data", cache="/cache", cache_images=False))
    assert elsewhere == SPEC and elsewhere.folder == SPEC.folder
    assert "/data" not in json.dumps(elsewhere.to_json())


def test_folders_have_harmless_names() -> None:
    assert replace(SPEC, data="../../x y").folder.startswith("x-y/bmip-all-16-shots-seeds-1-1-")
    assert replace(SPEC, data="/", shots=0).folder.startswith("data/bmip-all-all-shots-")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"shots": -1}, "-1 shots: give"),
        ({"data_seed": -1}, "the seed is -1"),
        ({"init_seed": -2}, "the seed is -2"),
        ({"classes": "old"}, "classes is"),
        ({"split": "train"}, "split is"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict, told: str) -> None:
    """By the type checker of the tests already, where that looks."""
    with pytest.raises((ValueError, TypeError), match=f"{told}|{next(iter(changes))}"):
        RunSpec.from_json(SPEC.to_json() | changes)
    with pytest.raises(ValueError, match="numbers, texts and truth values"):
        settings({"depth": [1]})


def test_other_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="missing or unknown: colour"):
        RunSpec.from_json({**SPEC.to_json(), "colour": "red"})
    check_format({"format": FORMAT}, "it", "")
    with pytest.raises(ValueError, match=f"a file has format 1, written by another .* reads format {FORMAT}: train"):
        check_format({"format": 1}, "a file", "train again")
