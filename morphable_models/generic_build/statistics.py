"""Principal components of data that is linear in a few hundred weights, never in V."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Linear:
    """A linear model: mean (D,), orthonormal basis (D, k), variance (k,) and the share kept."""

    mean: np.ndarray
    basis: np.ndarray
    variance: np.ndarray
    kept: float


def principal(weights: np.ndarray, fields: np.ndarray, count: int) -> Linear:
    """Return the PCA of `weights @ fields`, weights (n, T), fields (T, D), by T x T matrices.

    The eigenvectors of cov(weights)^1/2 . gram(fields) . cov(weights)^1/2 carry over to D.
    """
    mean = weights.mean(0)
    root = _square_root(np.cov(weights, rowvar=False))
    scaled = root @ fields
    variance, vectors = np.linalg.eigh(scaled @ scaled.T)
    order = np.argsort(variance)[::-1][:count]
    kept = variance[order].sum() / variance.clip(0).sum()
    basis = scaled.T @ (vectors[:, order] / np.sqrt(variance[order]))
    return Linear(mean @ fields, _signed(basis), variance[order], float(kept))


def _square_root(matrix: np.ndarray) -> np.ndarray:
    """Return the symmetric square root of a covariance matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def _signed(basis: np.ndarray) -> np.ndarray:
    """Fix each column's sign so that its largest entry is positive."""
    peak = np.abs(basis).argmax(0)
    return basis * np.sign(basis[peak, np.arange(basis.shape[1])])
