"""Where the face's contour may lie on a turned head: lines across the cheeks of a model's mean.

Landmarks 0 to 16 of people who mark photographs lie on the visible edge of the face, which moves
over the cheek as a head turns. From each of them on the frontal face, and from half way to the
next, a line of vertices runs towards the middle, on which the edge is looked for (landmark
marching; Zhu et al., High-Fidelity Pose and Expression Normalization, CVPR 2015).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, UInt8
from scipy.spatial import cKDTree

from facegen.files import Array

CONTOUR = 17
LINES = 2 * CONTOUR - 1
STEPS = 24
REACH = 0.8  # Share of the way to the middle.
BEHIND_MM = 2.0
EYES, LOWER_LIP = (36, 45), 57
LEFT_OUT = (3, 4, 5, 6, 7, 8, 9)  # brows, eyes, teeth, mouth, ears, neck, scalp


@dataclass(frozen=True, eq=False)
class ContourLines:
    """vertices: of each line, from the frontal face's contour to the middle.

    outward: the direction in the frontal plane, in model space, in which it leads from the middle.
    """

    vertices: Int32[Array, "33 S"]
    outward: Float32[Array, "33 3"]


def contour_lines(
    points: Float32[Array, "V 3"],
    triangles: Int32[Array, "F 3"],
    landmarks: Int32[Array, "68"],
    segmentation: UInt8[Array, "V"],
) -> ContourLines:
    """The lines on a mean face."""
    low, high = points[landmarks[LOWER_LIP], 1], points[landmarks[list(EYES)], 1].mean()
    on_contour = points[landmarks[:CONTOUR]]
    starts = np.empty((LINES, 3), points.dtype)
    starts[::2], starts[1::2] = on_contour, (on_contour[1:] + on_contour[:-1]) / 2
    ends = np.column_stack([0 * starts[:, 0], np.clip(starts[:, 1], low, high), starts[:, 2]])
    shares = np.linspace(0, REACH, STEPS)[None, :, None]
    places = (1 - shares) * starts[:, None] + shares * ends[:, None]
    among = _front(points, triangles, segmentation)
    lines = np.tile(np.repeat(landmarks[:CONTOUR], 2)[:LINES, None], (1, STEPS))
    if len(among):
        lines[1::2, 0] = among[cKDTree(points[among]).query(starts[1::2])[1]]
    for line, start, way in zip(lines, starts, places, strict=True):
        # What lies further back is the neck's, or the mouth's inside.
        ahead = among[points[among, 2] > start[2] - BEHIND_MM]
        if len(ahead):
            line[1:] = ahead[cKDTree(points[ahead, :2]).query(way[1:, :2])[1]]
    away = starts - ends
    away /= np.linalg.norm(away, axis=1, keepdims=True).clip(1e-6)
    return ContourLines(lines.astype(np.int32), away.astype(np.float32))


def _front(
    points: Float32[Array, "V 3"], triangles: Int32[Array, "F 3"], segmentation: UInt8[Array, "V"]
) -> Array:
    """The face's vertices that look to the front, and are no part that hides the contour."""
    a, b, c = points[triangles].transpose(1, 0, 2)
    facing = np.cross(b - a, c - a)[:, 2] > 0
    seen = np.zeros(len(points), bool)
    seen[triangles[facing]] = True
    return np.flatnonzero(seen & ~np.isin(segmentation, LEFT_OUT))
