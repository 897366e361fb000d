"""Points as annotation tools write them."""

import re

import numpy as np
from jaxtyping import Float64

from facegen.errors import FacegenError
from facegen.files import Array

_HINT = "a .pts file holds `n_points: 68`, and between braces a point a line"


def parse_pts(text: str) -> Float64[Array, "P d"]:
    """The points, of two or three coordinates, of a .pts file (iBUG); FacegenError if it is none.

    `version:` and `n_points:` may be in any case, or missing.
    """
    header, _, body = text.partition("{")
    lines = [line.split() for line in body.partition("}")[0].splitlines() if line.strip()]
    stated = re.search(r"n_points\s*:\s*(\d{1,9})\b", header, re.IGNORECASE)
    try:
        points = np.array(lines, np.float64)
    except ValueError:
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise FacegenError("not a list of points", _HINT)
    if stated and int(stated[1]) != len(points):
        raise FacegenError(f"states {stated[1]} points and holds {len(points)}", _HINT)
    return points
