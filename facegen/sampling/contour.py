"""Landmarks as people mark them: those of the contour on the visible edge of a turned head."""

from functools import cached_property

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.models.contour import CONTOUR, LINES
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.scene.cameras import to_camera_space
from facegen.scene.parameters import Parameters

SIDE = CONTOUR // 2  # Landmarks on either side of the chin.
CHIN = LINES // 2
# How far below the end of the edge people mark the first, as a share of the way to the chin.
FIRST = np.float32(0.05)
FACING = 0.5  # Of an outward direction: how much of it leads to the camera.
TINY = np.float32(1e-9)


class VisibleContour:
    """Finds what people mark on a turned head: landmarks 0 to 16 on the visible edge of the face.

    The edge is made of the vertices that lie outermost in the image, one on each line across a
    cheek. On either side landmarks are equally far apart along it, from below the ear to the chin.
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
        # A side that faces the camera has no edge: its landmarks are those of the frontal face.
        outermost[outward[..., 2] > FACING] = 0
        edge = np.take_along_axis(points, outermost[..., None, None], axis=2)[:, :, 0]
        right, left = (spaced(half) for half in (edge[:, : CHIN + 1], edge[:, : CHIN - 1 : -1]))
        chin = edge[:, CHIN : CHIN + 1]
        return np.concatenate([right, chin, left[:, ::-1], mesh[:, CONTOUR:]], axis=1)


def spaced(edge: Float32[Array, "N L 3"]) -> Float32[Array, "N 8 3"]:
    """Points on an edge in camera space that lie equally far apart in the image, the last left out.

    So people space them: in the mean shape of 300-W (Sagonas et al., 2016) neighbours are 22 % of
    the outer eye distance apart, within 1 %.
    """
    steps = np.linalg.norm(np.diff(edge[..., :2] / -edge[..., 2:], axis=1), axis=2)
    way = np.zeros(edge.shape[:2], np.float32)
    np.cumsum(steps, axis=1, out=way[:, 1:])
    shares = FIRST + (1 - FIRST) * np.arange(SIDE, dtype=np.float32) / SIDE
    places = way[:, -1:] * shares
    before = (way[:, None, 1:-1] <= places[..., None]).sum(axis=2)
    start, step = (np.take_along_axis(a, before, axis=1) for a in (way, steps))
    fraction = ((places - start) / np.maximum(step, TINY))[..., None]
    first, second = (np.take_along_axis(edge, (before + i)[..., None], axis=1) for i in (0, 1))
    return np.asarray(first + fraction * (second - first), np.float32)
