"""Takes the grain of few light paths out of a face, guided by its normals and its own tones."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from .render import Take
from .tones import luminance

Float64 = NDArray[np.float64]

RADIUS = 2
REACH, NORMAL_SD, TONE_SD = 1.3, 0.15, 0.25
DARKEST = 0.01


def denoised(take: Take) -> Take:
    """The same take; only light is smoothed, never the reflectance it falls on."""
    inside = take.coverage > 0.99
    reflectance = take.reflectance + DARKEST
    light = take.radiance / reflectance
    tone = np.log(luminance(light) + DARKEST * luminance(light)[inside].mean())
    guides = [(take.normals, NORMAL_SD), (gaussian_filter(tone, 1)[..., None], TONE_SD)]
    smooth = _smoothed(light, inside, guides) * reflectance
    return replace(take, radiance=np.where(inside[..., None], smooth, take.radiance))


def _smoothed(
    light: Float64, inside: NDArray[np.bool_], guides: list[tuple[Float64, float]]
) -> Float64:
    """Means of light (S, S, 3) over the neighbours inside that the guides (S, S, k) call alike."""
    total, weights = np.zeros_like(light), np.full((*inside.shape, 1), 1e-9)
    steps = range(-RADIUS, RADIUS + 1)
    for dy, dx in ((dy, dx) for dy in steps for dx in steps):
        weight = inside * np.exp(-(dx**2 + dy**2) / (2 * REACH**2))
        weight = _neighbour(weight, dy, dx)
        for guide, sd in guides:
            apart = np.square(_neighbour(guide, dy, dx) - guide).sum(axis=-1)
            weight = weight * np.exp(-apart / (2 * sd**2))
        total += weight[..., None] * _neighbour(light, dy, dx)
        weights += weight[..., None]
    return total / weights


def _neighbour(values: Float64, dy: int, dx: int) -> Float64:
    """The value so many rows and columns further; beyond an edge, the edge's."""
    size = len(values)
    rows, columns = (np.clip(np.arange(size) + d, 0, size - 1) for d in (dy, dx))
    return values[rows[:, None], columns]
