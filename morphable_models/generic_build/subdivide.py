"""Refines triangle meshes by Loop's scheme, as a linear operator on their points."""

import numpy as np
import scipy.sparse as sp


def triangulate(points: np.ndarray, quads: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Split quads into triangles (2Q, 3) along their shorter diagonal.

    quads (Q, 4) name points, corners (Q, 4) what the triangles are made of: points as well, or
    texture coordinates.
    """
    first = np.linalg.norm(points[quads[:, 0]] - points[quads[:, 2]], axis=1)
    second = np.linalg.norm(points[quads[:, 1]] - points[quads[:, 3]], axis=1)
    turned = np.where((first <= second + 1e-6)[:, None], corners, np.roll(corners, -1, axis=1))
    return turned[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def midpoint_step(values: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values (M, 2) with those of the edges' middles, and the finer cells (4F, 3).

    The cells lie in the order of `loop_step`.
    """
    ends = np.stack([cells[:, [0, 1]], cells[:, [1, 2]], cells[:, [2, 0]]], axis=1).reshape(-1, 2)
    edges, index = np.unique(np.sort(ends, axis=1), axis=0, return_inverse=True)
    a, b, c = cells.T
    ab, bc, ca = (len(values) + index.reshape(-1, 3)).T
    fine = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    finer = np.stack([np.stack(t, 1) for t in fine], 1).reshape(-1, 3)
    return np.vstack([values, values[edges].mean(1)]), finer


def loop_step(cells: np.ndarray, count: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return Loop's (1987) subdivision as operator (V', V) and the finer cells (4F, 3)."""
    half = np.stack([cells[:, [0, 1, 2]], cells[:, [1, 2, 0]], cells[:, [2, 0, 1]]], axis=1)
    half = half.reshape(-1, 3)
    edges, index = np.unique(np.sort(half[:, :2], axis=1), axis=0, return_inverse=True)
    uses = np.bincount(index)
    odd = _odd_rule(edges, index, half[:, 2], uses, count)
    operator = sp.vstack([_even_rule(edges, uses, count), odd])
    a, b, c = cells.T
    ab, bc, ca = (count + index.reshape(-1, 3)).T
    fine = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return operator.tocsr(), np.stack([np.stack(t, 1) for t in fine], 1).reshape(-1, 3)


def _even_rule(edges: np.ndarray, uses: np.ndarray, count: int) -> sp.csr_matrix:
    """Return the rows (V, V) that move old vertices; on a border only border neighbours pull."""
    border = np.zeros(count, dtype=bool)
    border[edges[uses == 1]] = True
    ends = np.vstack([edges, edges[:, ::-1]])
    ends = ends[np.tile(uses == 1, 2) | ~border[ends[:, 0]]]
    valence = np.bincount(ends[:, 0], minlength=count)
    angle = 0.375 + 0.25 * np.cos(2 * np.pi / np.maximum(valence, 1))
    weight = np.where(border, 1 / 8, (0.625 - angle**2) / np.maximum(valence, 1))
    pull = sp.csr_matrix((weight[ends[:, 0]], ends.T), shape=(count, count))
    return sp.diags(1 - weight * valence) + pull


def _odd_rule(
    edges: np.ndarray, index: np.ndarray, across: np.ndarray, uses: np.ndarray, count: int
) -> sp.csr_matrix:
    """Return the rows (E, V) of new edge vertices: 3/8, 3/8, 1/8, 1/8, or midpoints on borders."""
    rows = np.repeat(np.arange(len(edges)), 2)
    ends = np.repeat(np.where(uses == 1, 1 / 2, 3 / 8), 2)
    shape = (len(edges), count)
    near = sp.csr_matrix((ends, (rows, edges.ravel())), shape=shape)
    inner = uses[index] == 2
    opposite = (np.full(inner.sum(), 1 / 8), (index[inner], across[inner]))
    return near + sp.csr_matrix(opposite, shape=shape)
