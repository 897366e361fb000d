"""Which landmarks an image shows, and where."""

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.scene.cameras import project

VISIBLE_WITHIN_MM = 1.0


def find_landmarks(
    points: Float32[Array, "N L 3"], K: Float32[Array, "N 3 3"], depth: Float32[Array, "N S S"]
) -> Float32[Array, "N L 3"]:
    """Landmarks in camera space before depth images, mm -> u, v, visible.

    Visible: inside the image and, in at least one of the 3 x 3 pixels around, no surface is more
    than VISIBLE_WITHIN_MM in front.
    """
    uv = project(points, K)
    size = depth.shape[1]
    padded = np.pad(depth, ((0, 0), (1, 1), (1, 1)))
    column, row = np.clip(np.floor(np.moveaxis(uv, -1, 0)), 0, size - 1).astype(np.intp)
    face = np.arange(len(depth))[:, None]
    steps = [(i, j) for i in range(3) for j in range(3)]
    farthest = np.max([padded[face, row + i, column + j] for i, j in steps], axis=0)
    inside = ((uv >= 0) & (uv < size)).all(axis=-1)
    visible = inside & (farthest >= -points[..., 2] - VISIBLE_WITHIN_MM)
    return np.concatenate([uv, visible[..., None]], axis=-1).astype(np.float32)
