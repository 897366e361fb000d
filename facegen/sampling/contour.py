"""Landmarks as people mark them: those of the contour on the visible edge of a turned head."""

from functools import cached_property

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.models.contour import CONTOUR
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.scene.cameras import to_camera_space
from facegen.scene.parameters import Parameters


class VisibleContour:
    """Finds what people mark on a turned head: landmarks 0 to 16 on the visible edge of the face.

    Of each one's line across the cheek, the vertex that lies outermost in the image.
    """

    def __init__(self, model: MorphableModel) -> None:
        self._model = model

    @cached_property
    def _geometry(self) -> LinearModel:
        return self._model.geometry.at(self._model.contour_lines.vertices.ravel())

    def landmarks(
        self,
        parameters: Parameters,
        transform: Float32[Array, "N 4 4"],
        mesh: Float32[Array, "N 68 3"],
    ) -> Float32[Array, "N 68 3"]:
        """All 68 in camera space, mm; 17 to 67 are the mesh's."""
        lines = self._model.contour_lines
        points = to_camera_space(self._geometry.evaluate(parameters.geometry), transform).reshape(
            len(mesh), *lines.vertices.shape, 3
        )
        outward = lines.outward @ np.swapaxes(transform[:, :3, :3], 1, 2)
        seen = points[..., :2] / -points[..., 2:]
        outermost = np.einsum("nlsk,nlk->nls", seen, outward[..., :2]).argmax(axis=2)
        chosen = np.take_along_axis(points, outermost[..., None, None], axis=2)[:, :, 0]
        return np.concatenate([chosen, mesh[:, CONTOUR:]], axis=1)
