"""Which landmarks an image shows, and where: those of the mesh, and those that people mark."""

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.models.contour import CONTOUR
from facegen.sampling.contour import VisibleContour
from facegen.sampling.samples import Samples
from facegen.scene.cameras import Cameras

VISIBLE_WITHIN_MM = 1.0
EDGE_WITHIN_MM = 8.0  # On the edge itself the surface falls away within a pixel.


def find_landmarks(
    points: Float32[Array, "N L 3"],
    cameras: Cameras,
    depth: Float32[Array, "N S S"],
    within: float | Float32[Array, "L"] = VISIBLE_WITHIN_MM,
) -> Float32[Array, "N L 3"]:
    """Landmarks in camera space before depth images, mm -> u, v, visible.

    Visible: inside the image and, in at least one of the 3 x 3 pixels around, no surface is more
    than `within` mm in front.
    """
    uv = cameras.project(points)
    size = depth.shape[1]
    padded = np.pad(depth, ((0, 0), (1, 1), (1, 1)))
    column, row = np.clip(np.floor(np.moveaxis(uv, -1, 0)), 0, size - 1).astype(np.intp)
    face = np.arange(len(depth))[:, None]
    steps = [(i, j) for i in range(3) for j in range(3)]
    farthest = np.max([padded[face, row + i, column + j] for i, j in steps], axis=0)
    inside = ((uv >= 0) & (uv < size)).all(axis=-1)
    visible = inside & (farthest >= -points[..., 2] - within)
    return np.concatenate([uv, visible[..., None]], axis=-1).astype(np.float32)


def find_marks(
    contour: VisibleContour, samples: Samples, depth: Float32[Array, "N S S"]
) -> Float32[Array, "N 68 3"]:
    """The 68 landmarks that people mark, before depth images -> u, v, visible."""
    within = np.full(samples.landmarks.shape[1], VISIBLE_WITHIN_MM, np.float32)
    within[:CONTOUR] = EDGE_WITHIN_MM
    transform = samples.cameras.model_to_camera
    points = contour.landmarks(samples.parameters, transform, samples.landmarks)
    return find_landmarks(points, samples.cameras, depth, within)
