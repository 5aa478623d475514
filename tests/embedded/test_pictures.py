"""The drawn pictures are those that were built, whole, and their artists are named."""

import hashlib
from dataclasses import replace

import pytest

from bmip.embedded.pictures import FOLDER, families, things


@pytest.mark.parametrize("family", families().values(), ids=families())
def test_every_picture_decodes_and_shows_something(family) -> None:
    assert hashlib.sha256(family.file.read_bytes()).hexdigest() == family.sha256
    pictures = family.pictures()
    assert pictures.shape == (len(family.things), 4, 48, 48)
    opaque = (pictures[:, 3] > 0).float().mean((1, 2))
    assert opaque.min() > 0.03  # the smallest drawings are thin, such as a needle
    assert list(family.things) == sorted(set(family.things))
    assert family.things[-1] < len(things())


def test_no_two_pictures_of_a_family_are_the_same() -> None:
    for family in families().values():
        flat = family.pictures().flatten(1)
        assert len({row.numpy().tobytes() for row in flat}) >= len(flat) - 6, family.name


def test_every_thing_has_a_name_of_its_own_and_at_least_five_drawings() -> None:
    names = [thing.name for thing in things()]
    assert len(set(names)) == len(names)
    drawn = [place for family in families().values() for place in family.things]
    assert min(drawn.count(place) for place in range(len(names))) >= 5


def test_a_changed_file_is_refused(tmp_path) -> None:
    family = replace(families()["fluent-black"], sha256="0" * 64)
    with pytest.raises(ValueError, match="damaged"):
        family.pictures()


def test_the_notice_names_every_family() -> None:
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    assert all(f"| {family.name}.webp |" in notice for family in families().values())
