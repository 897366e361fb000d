"""What the errors of a few faces can tell."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from facegen.files import Array

RESAMPLED = 10_000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean, and the ends of its interval."""

    mean: float
    low: float
    high: float


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
