"""Smooth edges: nearer to what areas show, and nothing else is touched."""

import numpy as np
import pytest

from facegen.imaging.antialiasing import smooth_edges

SIZE, FINE = 64, 8


def sampled(inside):
    """Whether pixels' centres are inside, and how much of each pixel is."""
    grid = (np.arange(SIZE * FINE) + 0.5) / FINE
    share = inside(*np.meshgrid(grid, grid)).reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))
    centres = np.arange(SIZE) + 0.5
    return inside(*np.meshgrid(centres, centres)), share


def smoothed(mask, depth=None, labels=None):
    """Light of 1 where the mask is and 0.2 elsewhere, after smoothing: how much of it is 1's."""
    light = np.where(mask, 1, 0.2)[None, ..., None].repeat(3, axis=3).astype(np.float32)
    depth = np.where(mask, 1000, 0) if depth is None else depth
    labels = np.zeros(mask.shape) if labels is None else labels
    smooth_edges(light, depth[None].astype(np.float32), labels[None].astype(np.uint8))
    assert np.array_equal(light[..., 0], light[..., 2])
    return (light[0, ..., 0] - 0.2) / 0.8


def half_plane(degrees, offset):
    """A function: which points lie beyond a line near the middle."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return lambda x, y: (x - SIZE / 2) * c + (y - SIZE / 2) * s > offset


SHAPES = {
    f"line at {degrees}": half_plane(degrees, 0.3) for degrees in (4, 12, 25, 68, 83, 110, 157)
}
SHAPES["disc"] = lambda x, y: (x - SIZE / 2.1) ** 2 + (y - SIZE / 1.9) ** 2 < 23.3**2


@pytest.mark.parametrize("inside", SHAPES.values(), ids=SHAPES)
def test_edges_come_nearer_to_the_truth(inside):
    mask, share = sampled(inside)
    after = smoothed(mask)
    edge = (share > 0) & (share < 1)
    inner = np.zeros_like(edge)
    inner[3:-3, 3:-3] = edge[3:-3, 3:-3]  # Runs that the image cuts off have no end.
    before = np.abs(mask - share)[inner].mean()
    assert np.abs(after - share)[inner].mean() < 0.5 * before


@pytest.mark.parametrize("degrees", [37, 45, 52])
def test_diagonals_come_nearer_too(degrees):
    mask, share = sampled(half_plane(degrees, 0.3))
    edge = (share > 0) & (share < 1)
    before = np.abs(mask - share)[edge].mean()
    assert np.abs(smoothed(mask) - share)[edge].mean() < 0.7 * before


def test_pixels_away_from_edges_stay():
    mask, _ = sampled(SHAPES["disc"])
    beside = np.zeros_like(mask)
    for axis in (0, 1):
        unlike = np.diff(mask, axis=axis)
        beside |= np.concatenate([unlike, np.zeros_like(unlike.take([0], axis))], axis)
        beside |= np.concatenate([np.zeros_like(unlike.take([0], axis)), unlike], axis)
    changed = smoothed(mask) != mask
    assert changed[beside].any()
    assert not changed[~beside].any()


@pytest.mark.parametrize("degrees", [0, 90])
def test_straight_edges_stay(degrees):
    mask, _ = sampled(half_plane(degrees, 0.0))
    assert np.array_equal(smoothed(mask), mask)


def test_one_surface_before_another_has_an_edge_where_they_are_far_apart():
    mask, _ = sampled(SHAPES["disc"])
    apart = [
        (smoothed(mask, np.where(mask, 1000, 1000 + gap)) != mask).any() for gap in (5, 11, 13)
    ]
    assert apart == [False, False, True]
    far = [(smoothed(mask, np.where(mask, 2000, 2000 + gap)) != mask).any() for gap in (22, 26)]
    assert far == [False, True]


def test_smaller_leaps_count_between_labels():
    mask, _ = sampled(SHAPES["disc"])
    leap = np.where(mask, 1000, 1005)
    assert (smoothed(mask, leap, mask) != mask).any()
    assert not (smoothed(mask, np.full(mask.shape, 1000), mask) != mask).any()


def test_images_are_smoothed_one_by_one():
    masks = np.stack([sampled(SHAPES[name])[0] for name in ("disc", "line at 25")])
    light = masks[..., None].repeat(3, axis=3).astype(np.float32)
    depth, labels = np.where(masks, 900, 0).astype(np.float32), np.zeros(masks.shape, np.uint8)
    alone = light.copy()
    smooth_edges(light, depth, labels)
    for n in (1, 0):
        smooth_edges(alone[n : n + 1], depth[n : n + 1], labels[n : n + 1])
    assert np.array_equal(alone, light)


@pytest.mark.parametrize("size", [2, 3, 7])
def test_small_and_ragged_images(size):
    draws = np.random.default_rng(size)
    light = draws.random((9, size, size, 3)).astype(np.float32)
    depth = (draws.random((9, size, size)) < 0.5).astype(np.float32)
    low, high = light.min(), light.max()
    smooth_edges(light, depth, np.zeros(depth.shape, np.uint8))
    assert light.min() >= low - 1e-6
    assert light.max() <= high + 1e-6
