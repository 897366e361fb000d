"""Which triangles lie around each vertex, for its normal."""

import numpy as np
from jaxtyping import Int, Int64

from facegen.files import Array


def rings(
    corners: Int[Array, "3*F"], others: Int[Array, "3*F 2"], vertices: int
) -> tuple[Int64[Array, "V+1"], Int[Array, "3*F 2"]]:
    """The other two vertices of each corner's triangles, by corner, and where each begins.

    corners: the vertex of every corner of every triangle; others: the next two of its triangle.
    """
    order = np.argsort(corners, kind="stable")
    starts = np.searchsorted(corners[order], np.arange(vertices + 1))
    return starts, others[order]
