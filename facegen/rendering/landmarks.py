"""Which landmarks an image shows, and where: those of the mesh, and those that people mark."""

from functools import cached_property

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.models.contour import CONTOUR
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.sampling.samples import Samples
from facegen.scene.cameras import Cameras, to_camera_space

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


class VisibleContour:
    """Finds what people mark on a turned head: landmarks 0 to 16 on the visible edge of the face.

    Of each one's line across the cheek, the vertex that lies outermost in the image.
    """

    def __init__(self, model: MorphableModel) -> None:
        self._model = model

    @cached_property
    def _geometry(self) -> LinearModel:
        return self._model.geometry.at(self._model.contour_lines.vertices.ravel())

    def find(self, samples: Samples, depth: Float32[Array, "N S S"]) -> Float32[Array, "N 68 3"]:
        """All 68 landmarks before depth images -> u, v, visible."""
        within = np.full(samples.landmarks.shape[1], VISIBLE_WITHIN_MM, np.float32)
        within[:CONTOUR] = EDGE_WITHIN_MM
        return find_landmarks(self.landmarks(samples), samples.cameras, depth, within)

    def landmarks(self, samples: Samples) -> Float32[Array, "N 68 3"]:
        """All 68 in camera space, mm; 17 to 67 are the mesh's."""
        transform, lines = samples.cameras.model_to_camera, self._model.contour_lines
        points = to_camera_space(
            self._geometry.evaluate(samples.parameters.geometry), transform
        ).reshape(len(samples), *lines.vertices.shape, 3)
        outward = lines.outward @ np.swapaxes(transform[:, :3, :3], 1, 2)
        seen = points[..., :2] / -points[..., 2:]
        outermost = np.einsum("nlsk,nlk->nls", seen, outward[..., :2]).argmax(axis=2)
        chosen = np.take_along_axis(points, outermost[..., None, None], axis=2)[:, :, 0]
        return np.concatenate([chosen, samples.landmarks[:, CONTOUR:]], axis=1)
