"""Moves a population until its measures have the published means and covariances, sex by sex.

The builder's weights w are taken as Gaussian and the measures as linear in them, y = J w, iterated.
Each head's measures are carried onto the published Gaussian by the optimal transport map
y' = t + T (y - m), and the weights follow by Gaussian conditioning, w' = w + S J^T (J S J^T)^-1
(y' - y), which leaves alone what no measure sees. Correlations of measures are the builder's own,
since none are published.
"""

import numpy as np

from .anthropometry import ASSUMED, Measure, compacted

ROUNDS = 6
LEFT_WITHIN = 0.30  # Variance of N(0, 1) beyond 0.3: heads nearer to the middle are doubtful.
LEAST = 0.4  # Share of a published deviation.
NOISE = 0.05  # Share of a published deviation to which a measure is met.


def calibrated(
    weights: np.ndarray,
    fields: np.ndarray,
    rulers: list[Measure],
    free: np.ndarray,
    groups: dict[int, np.ndarray],
) -> np.ndarray:
    """Return weights (n, T) over fields (T, V, 3) whose measures are as published.

    free: by how much (T,) each weight may move beyond its own deviation; groups: the members (n,)
    of each sex by its column in Measure.published.
    """
    used, small = compacted(rulers, fields.shape[1])
    moved = weights.copy()
    for sex, members in groups.items():
        targets = _targets(small, sex)
        for _ in range(ROUNDS):
            moved[members] = _round(moved[members], fields[:, used], small, targets, free)
    return moved


def _targets(rulers: list[Measure], sex: int) -> np.ndarray:
    """Return mean and deviation (M, 2) for one sex.

    The model is one Gaussian: within a sex, told by the sign of its gender, some of the difference
    between the sexes is left, which is taken away from the deviation beforehand.
    """
    both = np.array(
        [[sizes or ASSUMED[ruler.name] for sizes in ruler.published] for ruler in rulers]
    )
    half_gap = (both[:, 1, 0] - both[:, 0, 0]) / 2
    mean, deviation = both[:, sex].T
    variance = np.maximum(deviation**2 - LEFT_WITHIN * half_gap**2, (LEAST * deviation) ** 2)
    return np.column_stack([mean, np.sqrt(variance)])


def _round(
    weights: np.ndarray,
    fields: np.ndarray,
    rulers: list[Measure],
    targets: np.ndarray,
    free: np.ndarray,
) -> np.ndarray:
    """Return one sex's weights (n, T) a step nearer to the targets (M, 2), mean and deviation."""
    flat = fields.reshape(len(fields), -1)
    heads = (weights @ flat).reshape(len(weights), -1, 3)
    lengths = np.column_stack([ruler.of(heads) for ruler in rulers])
    slopes = np.array([ruler.slope(heads.mean(0), fields) for ruler in rulers])
    mean, covariance = lengths.mean(0), np.cov(lengths, rowvar=False)
    deviations = np.sqrt(np.diag(covariance))
    wanted = covariance * np.outer(targets[:, 1] / deviations, targets[:, 1] / deviations)
    aim = targets[:, 0] + (lengths - mean) @ _transport(covariance, wanted).T
    spread = np.cov(weights, rowvar=False) + np.diag(free**2)
    seen = slopes @ spread @ slopes.T + np.diag((NOISE * targets[:, 1]) ** 2)
    gain = spread @ slopes.T @ np.linalg.inv(seen)
    return weights + (aim - lengths) @ gain.T


def _transport(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return the symmetric map of N(0, here) onto N(0, there) (Olkin and Pukelsheim 1982)."""
    root = _power(here, 0.5)
    back = _power(here, -0.5)
    return back @ _power(root @ there @ root, 0.5) @ back


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Return a power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values.clip(1e-9 * values.max()) ** exponent) @ vectors.T
