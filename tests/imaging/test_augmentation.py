"""Augmentation: nothing at strength 0, the same for the same seed, shapes and hair where stated."""

from dataclasses import fields, replace

import numpy as np
import pytest

from facegen.imaging.augmentation import Strength, augment
from facegen.imaging.occluders import draw_shapes
from facegen.imaging.painting import BOX, ELLIPSE, TRIANGLE, paint_shapes

NONE = Strength().scaled(0)


@pytest.fixture
def batch():
    """40 smooth pictures of 32 pixels."""
    draws = np.random.default_rng(2)
    rows, columns = np.mgrid[:32, :32] / 32
    ends = draws.integers(40, 216, (3, 40, 1, 1, 3))
    smooth = ends[0] + (ends[1] - ends[0]) * rows[None, ..., None] / 2
    return (
        (smooth + (ends[2] - ends[0]) * columns[None, ..., None] / 3).clip(0, 255).astype(np.uint8)
    )


def augmented(batch, strength, seed=1, step=2):
    """A changed copy."""
    images = batch.copy()
    augment(images, strength, seed, step)
    return images


def test_no_strength_changes_nothing(batch):
    assert np.array_equal(augmented(batch, NONE), batch)


def test_it_is_a_function_of_seed_and_step(batch):
    first = augmented(batch, Strength())
    assert np.array_equal(augmented(batch, Strength()), first)
    assert not np.array_equal(augmented(batch, Strength(), step=3), first)
    assert not np.array_equal(augmented(batch, Strength(), seed=3), first)


@pytest.mark.parametrize("name", ["exposure", "white_balance", "gamma", "contrast", "saturation"])
def test_each_change_of_colour_matters(batch, name):
    changed = augmented(batch, replace(NONE, **{name: getattr(Strength(), name)}))
    assert (changed != batch).any(axis=(1, 2, 3)).mean() > 0.9


def changed_share(batch, **strength):
    """How many pictures change."""
    return (augmented(batch, replace(NONE, **strength)) != batch).any(axis=(1, 2, 3)).mean()


def test_shares_of_pictures_are_those_stated(batch):
    many = np.tile(batch, (8, 1, 1, 1))
    assert changed_share(many, grey=0.5) == pytest.approx(0.5, abs=0.12)
    assert changed_share(many, hair=0.4) == pytest.approx(0.4, abs=0.12)
    assert changed_share(many, noise=0.5, noise_level=0.3) == pytest.approx(0.5, abs=0.12)
    assert changed_share(many, downscale=0.5, downscale_by=3.0) == pytest.approx(0.45, abs=0.12)
    blurs = changed_share(many, blur=0.6, blur_size=0.2, motion=0.4)
    assert blurs == pytest.approx(0.6, abs=0.15)
    shapes = changed_share(many, occluders=0.6, occluder_size=0.35)
    assert shapes == pytest.approx(0.55, abs=0.12)


def test_occluders_cover_a_part_of_the_picture(batch):
    changed = (augmented(batch, replace(NONE, occluders=1.0, occluder_size=0.35)) != batch).any(
        axis=3
    )
    covered = changed.mean(axis=(1, 2))
    assert 0.1 < covered.mean() < 0.5
    assert len(np.unique(covered)) > 20


def test_hair_falls_from_above_and_ends_unevenly(batch):
    changed = (augmented(batch, replace(NONE, hair=1.0)) != batch).any(axis=3)
    assert changed[:, 0].mean() > 0.9
    assert changed[:, -1].mean() < 0.3
    ends = changed.sum(axis=1)
    assert np.mean(np.abs(np.diff(ends, axis=1)) > 0) > 0.2


def test_shapes_show_pictures_as_they_were_before():
    before = np.zeros((2, 32, 32, 3), np.uint8)
    before[0], before[1, :, :16] = 90, 200
    shapes = draw_shapes(np.random.default_rng(0), before, 1.0, 0.35)
    shapes.number[:] = 1
    shapes.kind[:], shapes.centre[:], shapes.reach[:], shapes.edge[:] = BOX, 16, 16, 1 / 8
    shapes.frame[:] = np.eye(2) / 8
    shapes.source[:, 0], shapes.shift[:] = [1, 0], 0
    after = before.copy()
    paint_shapes(after, before, shapes)
    assert np.array_equal(after[0, 9:23, 9:23], before[1, 9:23, 9:23])
    assert np.array_equal(after[1, 9:23, 9:23], before[0, 9:23, 9:23])
    assert np.array_equal(after[:, :7], before[:, :7])


@pytest.mark.parametrize(("kind", "area"), [(ELLIPSE, np.pi), (BOX, 4), (TRIANGLE, 27**0.5)])
def test_shapes_have_their_areas(kind, area):
    before = np.zeros((1, 64, 64, 3), np.uint8)
    shapes = draw_shapes(np.random.default_rng(0), before, 1.0, 0.35)
    shapes.number[:], shapes.source[:], shapes.grain[:], shapes.slope[:] = 1, -1, 0, 0
    shapes.kind[:], shapes.centre[:], shapes.reach[:] = kind, [30.2, 33.7], 40
    c, s = np.cos(0.4), np.sin(0.4)
    shapes.frame[:], shapes.edge[:] = np.array([[c, s], [-s, c]]) / [[14], [9]], 1 / 9
    shapes.colour[:] = 255
    after = before.copy()
    paint_shapes(after, before, shapes)
    assert after[0, ..., 0].sum() / 255 == pytest.approx(area * 14 * 9, rel=0.03)


def test_strength_is_scaled_in_all_its_numbers():
    half = Strength().scaled(0.5)
    for one in fields(Strength):
        assert getattr(half, one.name) == pytest.approx(getattr(Strength(), one.name) / 2)
    assert Strength().scaled(1.0) == Strength()


def test_more_strength_changes_more(batch):
    steps = [
        np.abs(augmented(batch, Strength().scaled(factor)).astype(int) - batch).mean()
        for factor in (0.2, 0.5, 1.0)
    ]
    assert steps == sorted(steps)
    assert steps[0] > 0
