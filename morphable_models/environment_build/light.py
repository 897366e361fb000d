"""What an environment does to a matt surface: nine coefficients, and its two strongest suns."""

from functools import cache

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from facegen.scene.lighting import CONSTANTS, LUMINANCE

from .sphere import directions, shrunk, solid_angles

KERNELS = np.pi * np.array([1, *[2 / 3] * 3, *[1 / 4] * 5])  # Lambert's, by degree.
GRID = 128
CAP, RING = np.deg2rad(6.0), np.deg2rad(9.0)
APART = np.cos(np.deg2rad(12.0))
LEAST, CONTRAST = 0.02, 1.0
STEP = 2.0**-18  # Coefficients are rounded to it, so that the file's bytes are the same.


def harmonics(points: np.ndarray) -> np.ndarray:
    """Return the nine real spherical harmonics (..., 9), in facegen's order."""
    x, y, z = np.moveaxis(points, -1, 0)
    one = np.ones_like(x)
    terms = [one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return np.stack(terms, axis=-1) * (CONSTANTS / KERNELS)


def illumination(radiance: np.ndarray) -> np.ndarray:
    """Return the coefficients t (9, 3): H(n) . t is the irradiance over pi at a normal n."""
    weights = solid_angles(len(radiance))[..., None]
    basis = harmonics(directions(len(radiance))) * weights
    sums = [(radiance * basis[..., k, None]).sum((0, 1)) for k in range(9)]
    return np.round(np.array(sums) / np.pi / STEP) * STEP


def suns(radiance: np.ndarray) -> np.ndarray:
    """Return the two strongest compact sources (2, 6): direction, and irradiance over pi.

    A source is what a cap of 6 degrees sends beyond the mean of the ring up to 9 degrees. It
    counts where that luminance adds LEAST of the mean to what faces it, and where the cap is more
    than twice as bright as the ring; the second lies at least 12 degrees from the first.
    """
    grid = shrunk(radiance, GRID).reshape(-1, 3)
    points = directions(GRID).reshape(-1, 3)
    free, found = np.ones(len(grid), bool), np.zeros((2, 6))
    for k in range(2):
        excess, level = _excess(grid)
        luminance, ring = excess @ LUMINANCE, level @ LUMINANCE
        weight = _caps()[0] @ np.ones(len(grid)) / np.pi
        strong = (luminance > LEAST) & (luminance > CONTRAST * ring * weight) & free
        if not strong.any():
            break
        peak = int(np.argmax(np.where(strong, luminance, -np.inf)))
        found[k, :3] = _centre(grid, level[peak], peak)
        found[k, 3:] = excess[peak].clip(0)
        free &= points @ found[k, :3] < APART
        grid = _taken(grid, level[peak], peak)
    return np.round(found / STEP) * STEP


@cache
def _caps() -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Return the solid angles (N, N) of the cap about each pixel, and of the ring about it."""
    points = directions(GRID).reshape(-1, 3)
    tree = cKDTree(points)
    chord = 2 * np.sin(RING / 2)
    near = tree.sparse_distance_matrix(tree, chord, output_type="coo_matrix")
    weights = np.repeat(solid_angles(GRID)[:, 0], 2 * GRID)[near.col]
    inner = near.data <= 2 * np.sin(CAP / 2)
    shape = (len(points), len(points))
    parts = [(weights[s], (near.row[s], near.col[s])) for s in (inner, ~inner)]
    cap, ring = (sp.csr_matrix(part, shape=shape) for part in parts)
    for part in (cap, ring):
        part.sort_indices()
    return cap, ring


def _excess(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each cap adds to the irradiance over pi (N, 3), and the ring's level (N, 3)."""
    cap, ring = _caps()
    one = np.ones(len(grid))
    level = (ring @ grid) / (ring @ one)[:, None]
    return (cap @ grid - (cap @ one)[:, None] * level) / np.pi, level


def _centre(grid: np.ndarray, level: np.ndarray, peak: int) -> np.ndarray:
    """Return the direction of the middle of a source, by what it has beyond its surroundings."""
    row = _caps()[0][peak]
    beyond = ((grid[row.indices] - level) @ LUMINANCE).clip(0) * row.data
    middle = beyond @ directions(GRID).reshape(-1, 3)[row.indices]
    return middle / np.linalg.norm(middle)


def _taken(grid: np.ndarray, level: np.ndarray, peak: int) -> np.ndarray:
    """Return the radiance with a source replaced by its surroundings."""
    out = grid.copy()
    out[_caps()[0][peak].indices] = level
    return out
