"""Drawing: every shape and glyph can be told from every other, distances are distances, surfaces are seamless."""

import numpy as np
import pytest
import torch

from bmip.embedded.pictures.surfaces import picture_tiles, texture_tiles
from bmip.embedded.world.distance import EXTENT, RESOLUTION, X, Y, ellipse, polygon, stroke
from bmip.embedded.world.odds import choose
from bmip.embedded.world.plan import Plan, draw_scene
from bmip.embedded.world.render import distance_atlas, render
from bmip.embedded.world.shapes import DRAWINGS
from bmip.embedded.world.vocabulary import THINGS


def test_distances_are_exact_for_circles_polygons_and_strokes() -> None:
    step = 2 * EXTENT / RESOLUTION
    assert np.allclose(ellipse(0.1, 0, 0.5), np.hypot(X - 0.1, Y) - 0.5)
    square = polygon([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    centre = np.hypot(X, Y).argmin()
    assert square.flat[centre] == pytest.approx(-0.5, abs=step)
    assert square[0, 0] == pytest.approx(np.hypot(X[0, 0] + 0.5, Y[0, 0] + 0.5))
    assert np.allclose(stroke([(0, 0), (0, 0)], 0.2), np.hypot(X, Y) - 0.2)


def test_the_border_of_the_atlas_lies_outside_every_drawing() -> None:
    atlas = distance_atlas()[:, 0]
    border = torch.cat([atlas[:, 0], atlas[:, -1], atlas[:, :, 0], atlas[:, :, -1]], dim=1)
    assert (border > 0.1).all()
    assert (atlas.flatten(1).amin(1) < -0.03).all()


def test_no_two_drawings_of_different_things_look_alike() -> None:
    filled = (distance_atlas()[: len(DRAWINGS), 0] < 0).flatten(1).float()
    shared = filled @ filled.T
    united = filled.sum(1)[:, None] + filled.sum(1)[None] - shared
    alike = shared / united - torch.eye(len(filled))
    assert alike.max() < 0.96  # octagon and circle


@pytest.mark.parametrize("tiles", [texture_tiles, picture_tiles])
def test_tiles_have_no_seam(tiles) -> None:
    values = tiles()
    inner = (values[..., 1:] - values[..., :-1]).abs().mean()
    seam = (values[..., 0] - values[..., -1]).abs().mean()
    assert seam < 2.5 * inner


def test_images_do_not_depend_on_how_many_are_drawn_before_them_in_a_chunk() -> None:
    plan = Plan(styles={"photo": 1.0}, wobble=0.0)
    scene = draw_scene(np.random.default_rng(0), plan, 20)
    rows = torch.arange(5, 15)
    assert torch.equal(render(scene)[5:15], render(scene.at(rows)))


def test_every_style_draws_every_thing() -> None:
    count = len(THINGS)
    for style in ("photo", "cartoon", "painting", "silhouette", "mosaic", "negative", "sketch", "neon"):
        plan = Plan(styles={style: 1.0}, radius=(18.0, 20.0), aside_rate=0.0, texture_rate=0.0, unseen=True)
        images = render(draw_scene(np.random.default_rng(1), plan, count, thing=np.arange(count))).float()
        middle, corner = images[:, :, 12:36, 12:36].flatten(1), images[:, :, :4, :4].mean((2, 3))
        assert (middle.std(1) + (middle.mean(1) - corner.mean(1)).abs() > 3).all(), style


def test_options_without_odds_are_refused() -> None:
    with pytest.raises(ValueError, match="no option left with odds above 0"):
        choose(np.random.default_rng(0), np.zeros((2, 3)), 2)
