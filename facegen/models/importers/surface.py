"""What a mesh says of its surface: normals, and which side is outside."""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def normals_of(points: Float64, triangles: NDArray[np.int32]) -> Float64:
    """Area-weighted unit normals (V, 3) of a mesh."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(triangles.reshape(-1), np.repeat(faces[:, axis], 3), len(points))
            for axis in range(3)
        ],
        axis=1,
    )
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


def signed_volume(points: NDArray[np.float32], triangles: NDArray[np.int32]) -> float:
    """The volume between the surface and a point behind the face: positive if wound outward."""
    surface = points[np.unique(triangles)]
    low, high = surface.min(axis=0), surface.max(axis=0)
    behind = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    a, b, c = (points[triangles[:, i]].astype(np.float64) - behind for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)
