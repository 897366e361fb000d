"""The panorama's place in camera space, and means over its sphere.

Row 0 is straight up (+y). The middle of a panorama's width is where a camera looks, -z, so it is
what lies behind the face; right of it lies +x. The left and right edges are +z, behind the camera:
the light from there falls on a face from the front.
"""

import numpy as np
from scipy.ndimage import grey_closing

from facegen.scene.lighting import LUMINANCE


def directions(height: int) -> np.ndarray:
    """Return the unit direction of each pixel's centre (H, 2H, 3) in camera space."""
    polar = np.pi * (np.arange(height) + 0.5) / height
    turn = np.pi * ((np.arange(2 * height) + 0.5) / height - 1)
    sine, cosine = np.sin(polar)[:, None], np.cos(polar)[:, None]
    up = np.broadcast_to(cosine, (height, 2 * height))
    return np.stack([sine * np.sin(turn), up, -sine * np.cos(turn)], axis=-1)


def solid_angles(height: int) -> np.ndarray:
    """Return the exact solid angle (H, 1) of the pixels of each row; all pixels have 4 pi."""
    edges = np.cos(np.pi * np.arange(height + 1) / height)
    return ((edges[:-1] - edges[1:]) * np.pi / height)[:, None]


def mean(radiance: np.ndarray) -> np.ndarray:
    """Return the mean radiance over the sphere, channel by channel."""
    weights = solid_angles(len(radiance))[..., None]
    return (radiance * weights).sum((0, 1)) / (4 * np.pi)


def levelled(radiance: np.ndarray) -> np.ndarray:
    """Scale an environment so that its mean luminance over the sphere is 1."""
    return radiance / (mean(radiance) * LUMINANCE).sum()


def shrunk(radiance: np.ndarray, height: int) -> np.ndarray:
    """Average over areas of the sphere, down to (height, 2 height, 3): no light is lost."""
    factor = len(radiance) // height
    weighted = radiance * solid_angles(len(radiance))[..., None]
    blocks = weighted.reshape(height, factor, 2 * height, factor, 3).sum((1, 3))
    return blocks / solid_angles(height)[..., None]


def without_rings(radiance: np.ndarray) -> np.ndarray:
    """Fill the dark rings that a sharp resampling left around lights, where they are below zero."""
    padded = np.pad(radiance, ((0, 0), (4, 4), (0, 0)), mode="wrap")
    closed = grey_closing(padded, size=(5, 5, 1))[:, 4:-4]
    return np.where(radiance < 0, closed, radiance).clip(0)
