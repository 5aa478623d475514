"""The pictures and the table for the embedded default are made of what they say."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bmip.class_names import ClassNames
from bmip.clip.loading.load import load_clip
from bmip.data.dataset import ArrayImages, Dataset, Split
from bmip.embedded.pretrain.batches import shown as shown_in_pretraining
from bmip.embedded.pretrain.evaluate import zero_shot
from bmip.embedded.scenes.atlas import shown_things
from bmip.embedded.scenes.datasets import load_scenes
from tests.small import backbone_folder
from tools.embedded import curve, photographs, sheets
from tools.embedded.zero_shot import HEAD, by_family, of_family, with_each_template


def test_a_sheet_shows_every_image_as_it_is() -> None:
    rows = sheets.of_set(load_scenes("clothes"))
    assert [row.heading for row in rows] == ["training", "validation", "test"]
    sheet = np.asarray(sheets.draw(rows))
    for row in rows:
        for image in row.images:
            large = image.repeat_interleave(sheets.ZOOM, 1).repeat_interleave(sheets.ZOOM, 2).permute(1, 2, 0).numpy()
            places = np.argwhere((sheet == large[0, 0]).all(axis=2))
            side = len(large)
            assert any(np.array_equal(sheet[y : y + side, x : x + side], large) for y, x in places)


def test_a_variant_has_a_row_for_its_test_images_alone() -> None:
    assert [row.heading for row in sheets.of_set(load_scenes("things-silhouette"))] == ["test"]


def test_every_family_has_drawn_what_the_sheet_of_families_shows() -> None:
    assert {len(row.images) for row in sheets.of_families()} == {len(sheets.SHOWN)}


def test_the_curve_of_a_log(tmp_path: Path) -> None:
    rows = [{"step": 50, "contrast": 4.5}, {"step": 50, "zero_shot": {"food": 10.0, "faces": 5.0}}]
    rows += [{"step": 100, "contrast": 3.5}, {"step": 100, "zero_shot": {"food": 20.0, "faces": 15.0}}]
    curve.draw(json.loads(json.dumps(rows)), tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        assert min(picture.size) > 300


@pytest.mark.parametrize("with_val", [True, False])
def test_zero_shot_is_measured_on_validation_images(tmp_path: Path, with_val: bool) -> None:
    clip = load_clip(backbone_folder(tmp_path / "clip"))
    side, draws = clip.config.image_size, torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (6, 3, side, side), dtype=torch.uint8, generator=draws)
    split = Split(ArrayImages(pixels, "own"), (0, 1, 2) * 2)
    classes = ClassNames(("cat", "dog", "cow"), "a {}.", ("a {}.", "the {}."))
    other = Split(ArrayImages(255 - pixels, "other"), (0, 0, 1) * 2)
    dataset = Dataset("own", classes, other, split if with_val else None, other)
    known = Dataset("known", classes, other, split, other)
    found = with_each_template(clip, [dataset, known])
    expected = zero_shot(clip, pixels, torch.tensor(split.labels), classes.names, classes.templates)
    lines = [line for line in found[len(HEAD) :] if line.startswith("| own")]
    assert len(lines) == with_val
    cells = f"| {expected[0]:.1f} | {max(expected):.1f} |"
    assert all(cells in line for line in lines) and cells in found[-1]


def test_zero_shot_by_family_shows_that_familys_pictures() -> None:
    clip, one = load_clip("embedded"), replace(load_scenes("counts"), class_names=("a red apple", "five keys"))
    one = replace(one, members=(one.members[0], one.members[1]), copies=(1, 5), families={"val": "noto-old"})
    images, labels = one.split("val")
    kept = [*range(10), *range(50, 60)]
    own = zero_shot(clip, images[kept], labels[kept], one.class_names, (one.template,))[0]
    assert of_family(clip, one, "noto-old") == own
    seen, *_, mean = by_family(clip, [one])[2:]
    cells = [cell.strip() for cell in seen.split("|")[2:-1]]
    assert len(cells) == 9 and f"{own:.1f}" in cells
    assert mean.split("|")[2:-1] == seen.split("|")[2:-1]


def test_photographs_are_of_things_that_pre_training_shows(tmp_path: Path) -> None:
    shown = {shown_things()[place].name for place in shown_in_pretraining()}
    assert set(photographs.PHOTOGRAPHS.values()) <= shown
    for number, file in enumerate(photographs.PHOTOGRAPHS):
        Image.new("RGB", (60, 40), (30 * number, 90, 90)).save(tmp_path / file)
    found = photographs.answers(tmp_path)
    assert found.keys() == photographs.PHOTOGRAPHS.keys()
    assert set(found.values()) <= set(photographs.PHOTOGRAPHS.values())
