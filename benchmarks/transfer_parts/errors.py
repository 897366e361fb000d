"""Errors of landmarks, and what a few faces can tell of them.

NME: the mean distance of the landmarks in percent of the outer eye distance (36 to 45).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from facegen.files import Array

OUTER_CORNERS = (36, 45)
INNER = slice(17, 68)
RESAMPLED = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean, and the ends of its interval."""

    mean: float
    low: float
    high: float


def nme(found: Float[Array, "N 68 2"], marked: Float[Array, "N 68 2"]) -> Float64[Array, "N 2"]:
    """The NME of each face in percent: over all 68 landmarks, and over the inner 51."""
    found, marked = (np.asarray(points, np.float64) for points in (found, marked))
    right, left = (marked[:, corner] for corner in OUTER_CORNERS)
    unit = np.linalg.norm(right - left, axis=1)
    distances = 100 * np.linalg.norm(found - marked, axis=2) / unit[:, None]
    return np.stack([distances.mean(axis=1), distances[:, INNER].mean(axis=1)], axis=1)


def aligned(
    points: Float[Array, "N P 2"], target: Float[Array, "N P 2"]
) -> Float64[Array, "N P 2"]:
    """Each set of points turned, scaled and moved onto its target by least squares.

    As complex numbers u + iv, a similarity is a product and a sum.
    """
    source, goal = (np.asarray(p, np.float64) @ [1, 1j] for p in (points, target))
    source_offsets, goal_offsets = (z - z.mean(axis=1, keepdims=True) for z in (source, goal))
    product = (source_offsets.conj() * goal_offsets).sum(axis=1, keepdims=True)
    factor = product / np.square(np.abs(source_offsets)).sum(axis=1, keepdims=True)
    moved = factor * source_offsets + goal.mean(axis=1, keepdims=True)
    return np.stack([moved.real, moved.imag], axis=2)


def interval(values: Float[Array, "N"], seed: int = 0) -> Interval:
    """The mean over faces, and its percentile bootstrap interval over faces (Efron 1979)."""
    values = np.asarray(values, np.float64)
    rows = np.random.default_rng(seed).integers(0, len(values), (RESAMPLED, len(values)))
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values[rows].mean(axis=1), [tail, 100 - tail])
    return Interval(float(values.mean()), float(low), float(high))


def difference(first: Float[Array, "N"], second: Float[Array, "N"]) -> Interval:
    """The mean of first - second over the same faces, and its interval."""
    return interval(np.asarray(first, np.float64) - np.asarray(second, np.float64))
