"""Landmarks of mirrored images: which is which, and where they lie."""

import numpy as np
from jaxtyping import Float, Int64

from facegen.files import Array
from facegen.models.morphable_model import LANDMARKS

# Runs of landmarks of the iBUG order whose mirror image is the same run backwards, ...
_RUNS = ((0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68))
# ... and the eyes, corner by corner.
_RIGHT_EYE, _LEFT_EYE = (36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46)


def mirrored_order() -> Int64[Array, "68"]:
    """The landmark that each one's mirror image is."""
    order = np.arange(LANDMARKS)
    for start, stop in _RUNS:
        order[start:stop] = order[start:stop][::-1]
    order[list(_RIGHT_EYE)], order[list(_LEFT_EYE)] = _LEFT_EYE, _RIGHT_EYE
    return order


MIRRORED = mirrored_order()


def mirrored(landmarks: Float[Array, "N 68 2"]) -> Float[Array, "N 68 2"]:
    """Landmarks (u, v in shares of the side) as they lie in the mirrored image."""
    places = landmarks[:, MIRRORED].copy()
    places[..., 0] = 1 - places[..., 0]
    return places
