"""Polygons of a mesh file as triangles, in the file's order."""

import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError


def fans(
    counts: NDArray[np.int64], corners: NDArray[np.int64], vertices: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Polygons of these corners, one after the other -> triangles (F, 3), and whose each is (F,).

    Polygons of less than three corners have none. ModelError where a corner is no vertex.
    """
    if corners.size and not 0 <= corners.min() <= corners.max() < vertices:
        raise ModelError(f"a face names a vertex that does not exist: there are {vertices:,}")
    starts = np.cumsum(counts) - counts
    triangles = np.maximum(counts - 2, 0)
    owner = np.repeat(np.arange(len(counts)), triangles)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    first = starts[owner]
    rows = np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)
    return rows.astype(np.int32), owner
