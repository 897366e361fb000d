"""What is worn covers the pixels that whole numbers say, whichever way its triangles lie."""

import numpy as np
import pytest

from facegen.models.attire import MATTE
from facegen.rendering.cpu.memory import EMPTY, with_room, work_for
from facegen.rendering.cpu.worn import draw_worn

SIZE, COUNT = 40, 60


def triangles_of(kind):
    """Corners (COUNT, 3, 2) in 1/256 pixel, in both orientations, some beyond the image."""
    corners = np.random.default_rng(5).integers(-2000, 256 * SIZE + 2000, (COUNT, 3, 2))
    if kind != "any":
        axis = int(kind == "horizontal")
        corners[:, 1, axis] = corners[:, 0, axis]
    return np.concatenate([corners, corners[:, ::-1]])


def inside(corners):
    """The pixels strictly inside a triangle."""
    v, u = np.mgrid[:SIZE, :SIZE] * 256
    x, y = corners.T
    edges = [
        (x[(k + 1) % 3] - x[k]) * (v - y[k]) - (y[(k + 1) % 3] - y[k]) * (u - x[k])
        for k in range(3)
    ]
    return (np.min(edges, axis=0) > 0) | (np.max(edges, axis=0) < 0)


@pytest.mark.parametrize("kind", ["any", "horizontal", "vertical"])
def test_triangles_cover_what_is_inside(kind):
    work = with_room(work_for(3, 1, SIZE), 3, 1)
    order, strand = np.array([[0, 3, 6]], np.uint32), np.zeros((3, 3), np.float32)
    covering = 0
    for corners in triangles_of(kind):
        work.keys[:] = EMPTY
        screen = np.column_stack([corners, np.full(3, 1e-3)]).astype(np.float32).reshape(-1)
        draw_worn(order, np.array([MATTE], np.uint8), strand, screen, work, 0)
        expected = inside(corners)
        covering += expected.any()
        # Pixels on an edge belong to one of two triangles.
        assert not (expected & (work.keys <= EMPTY)).any()
        assert ((work.keys > EMPTY) & ~expected).sum() <= 3 * SIZE * (kind != "any")
    assert covering > COUNT
