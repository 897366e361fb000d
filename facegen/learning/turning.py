"""theta of faces whose image is turned or mirrored."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from facegen.files import Array
from facegen.scene.cameras import rotation_matrix
from facegen.scene.parameters import Layout

# Pairs of spherical harmonics that turn into one another about the view axis, and how fast.
_TURNING = ((1, 3, 1), (5, 7, 1), (4, 8, 2))
_ODD_IN_X = (3, 4, 7)


def turned(
    layout: Layout,
    theta: Float32[Array, "N m"],
    turn: Float64[Array, "N"],
    mirrored: Bool[Array, "N"] | None = None,
) -> Float32[Array, "N m"]:
    """theta of images turned counter-clockwise (radians), those that are mirrored mirrored before.

    The head's rotation and the light turn with the image; coefficients stay as they are.
    """
    theta = theta.copy()
    parts = layout.unpack(theta)
    light = parts.illumination
    if mirrored is not None:
        parts.rotation[mirrored, 1:] *= -1
        light[np.ix_(mirrored, np.array(_ODD_IN_X))] *= -1
    parts.rotation[:, 2] += turn
    for sine, cosine, speed in _TURNING:
        c, s = (f(speed * turn)[:, None] for f in (np.cos, np.sin))
        first, second = light[:, sine].copy(), light[:, cosine].copy()
        light[:, sine], light[:, cosine] = c * first + s * second, c * second - s * first
    return theta


def roll_of(rotation: Float[Array, "N 3"]) -> Float64[Array, "N"]:
    """How far heads lean clockwise in the image, in radians: the way that their y axis points."""
    up = rotation_matrix(rotation)[..., 1]
    return np.asarray(np.arctan2(up[:, 0], up[:, 1]), np.float64)
