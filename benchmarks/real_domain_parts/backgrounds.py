"""What stands behind the subject, out of focus: plain walls, gradients, clutter, lights."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom
from scipy.special import expit

from .randomness import Random, choose

Float64 = NDArray[np.float64]

KINDS = {"wall": 0.25, "texture": 0.3, "clutter": 0.3, "bokeh": 0.15}


def draw_background(rng: Random, size: int) -> Float64:
    """A image (S, S, 3), linear, relative to a well exposed one."""
    draw = {"wall": _wall, "texture": _texture, "clutter": _clutter, "bokeh": _bokeh}
    return np.maximum(draw[choose(rng, KINDS)](rng, size), 0.002)


def _wall(rng: Random, size: int) -> Float64:
    """One colour, shaded from one side to the other."""
    u, v = _grid(size)
    angle, slope = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.5)
    shade = np.exp(slope * (np.cos(angle) * u + np.sin(angle) * v))
    return _colour(rng) * shade[..., None] * np.exp(_noise(rng, size, 3, 0.08))


def _texture(rng: Random, size: int) -> Float64:
    """Two colours mixed by noise of several scales."""
    octaves = sum(_noise(rng, size, 3 * 2**i, 1.5 / 2**i) for i in range(3))
    mix = expit(2 * octaves)
    return _colour(rng) * mix + _colour(rng) * (1 - mix)


def _clutter(rng: Random, size: int) -> Float64:
    """Boxes and edges of a room, more or less blurred."""
    image = _wall(rng, size)
    u, v = _grid(size)
    for _ in range(rng.integers(4, 14)):
        x, y = rng.uniform(-0.6, 0.6, 2)
        half_width, half_height = rng.uniform(0.03, 0.4, 2)
        image[(abs(u - x) < half_width) & (abs(v - y) < half_height)] = _colour(rng)
    return _blurred(image, rng.uniform(0.005, 0.04) * size)


def _bokeh(rng: Random, size: int) -> Float64:
    """Lights far out of focus before something dark."""
    image = 0.4 * _texture(rng, size)
    u, v = _grid(size)
    for _ in range(rng.integers(5, 20)):
        x, y, radius = *rng.uniform(-0.55, 0.55, 2), rng.uniform(0.02, 0.1)
        disc = (u - x) ** 2 + (v - y) ** 2 < radius**2
        image[disc] += rng.uniform(0.1, 0.7) * (0.5 + _colour(rng))
    return _blurred(image, 0.008 * size)


def _colour(rng: Random) -> Float64:
    """A colour (3,) of things indoors and outdoors: often grey, seldom strong."""
    brightness = np.exp(rng.normal(np.log(0.2), 0.9))
    return np.minimum(brightness, 0.9) * np.exp(rng.normal(0, rng.uniform(0.02, 0.3), 3))


def _noise(rng: Random, size: int, cells: int, amount: float) -> Float64:
    """Smooth noise (S, S, 1) with about so many bumps across."""
    coarse = np.pad(rng.normal(0, amount, (cells + 1, cells + 1)), 1, mode="edge")
    fine = zoom(coarse, (size + 2) / len(coarse) + 1, order=3)
    return fine[1 : size + 1, 1 : size + 1, None]


def _grid(size: int) -> tuple[Float64, Float64]:
    """u right and v down (S, S), from -1/2 to 1/2 over the image."""
    v, u = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    return u, v


def _blurred(image: Float64, sigma: float) -> Float64:
    return gaussian_filter(image, (sigma, sigma, 0), mode="nearest")
