"""Point sets brought onto one another by least squares: Procrustes, with and without scale."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from facegen.files import Array


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale * rotation x + shift."""

    rotation: Float64[Array, "3 3"]
    shift: Float64[Array, "3"]
    scale: float

    def apply(self, points: Float[Array, "P 3"]) -> Float64[Array, "P 3"]:
        """The points, moved."""
        moved: Array = self.scale * points @ self.rotation.T + self.shift
        return moved


def similarity(
    source: Float[Array, "P 3"],
    target: Float[Array, "P 3"],
    weights: Float[Array, "P"] | None = None,
) -> Similarity:
    """The similarity that brings `source` onto `target` best (Umeyama 1991)."""
    shares = np.ones(len(source)) if weights is None else weights
    shares = (shares / shares.sum())[:, None]
    from_centre, to_centre = (shares * source).sum(axis=0), (shares * target).sum(axis=0)
    covariance = (shares * (target - to_centre)).T @ (source - from_centre)
    rotation, lengths = best_rotation(covariance)
    scale = float(lengths.sum() / (shares * (source - from_centre) ** 2).sum())
    return Similarity(rotation, to_centre - scale * rotation @ from_centre, scale)


def rigidly_aligned(
    points: Float[Array, "N P 3"], target: Float[Array, "N P 3"]
) -> Float64[Array, "N P 3"]:
    """Each set of points turned and moved onto its target, not scaled (Kabsch 1976)."""
    from_centre, to_centre = (p.mean(1, keepdims=True, dtype=np.float64) for p in (points, target))
    offsets = points - from_centre
    rotation, _ = best_rotation(np.swapaxes(target - to_centre, 1, 2) @ offsets)
    aligned: Array = offsets @ np.swapaxes(rotation, 1, 2) + to_centre
    return aligned


def similarly_aligned(
    points: Float[Array, "N P 3"], target: Float[Array, "N P 3"]
) -> Float64[Array, "N P 3"]:
    """Each set of points turned, scaled and moved onto its target (Umeyama 1991)."""
    pairs = zip(points, target, strict=True)
    return np.stack([similarity(one, goal).apply(one) for one, goal in pairs])


def best_rotation(
    covariance: Float64[Array, "*N 3 3"],
) -> tuple[Float64[Array, "*N 3 3"], Float64[Array, "*N 3"]]:
    """The rotation that maximises trace(rotation^T covariance), and the signed singular values.

    A reflection would do better where the determinant is -1; the last axis is turned back.
    """
    u, lengths, vt = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., -1] *= sign[..., None]
    lengths[..., -1] *= sign
    return u @ vt, lengths
