"""Errors of estimated faces, in the poster's columns. Distances in mm, colours of 8 bit."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from facegen.parameters import Float32, Layout

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

# Red, green and blue all wrong by 255: what an estimate gets that nowhere covers the face.
LARGEST_COLOUR_ERROR = 255 * np.sqrt(3)


def colour_distance(first: UInt8, second: UInt8) -> Float32:
    """Euclidean distance of RGB per pixel: (N, H, W, 3) twice -> (N, H, W), 0 to 441.7."""
    return np.linalg.norm(first.astype(np.float32) - second.astype(np.float32), axis=-1)


def photometric(inputs: UInt8, rendered: UInt8, both: NDArray[np.bool_]) -> Float64:
    """Mean colour distance over the pixels (N, H, W) that both masks hold -> (N,)."""
    total = (colour_distance(inputs, rendered) * both).sum((1, 2), dtype=np.float64)
    pixels = both.sum((1, 2))
    return np.where(pixels > 0, total / np.maximum(pixels, 1), LARGEST_COLOUR_ERROR)


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Float64:
    """Intersection over union of masks (N, H, W) in percent -> (N,); 100 for two empty ones."""
    union = (first | second).sum((1, 2))
    both = (first & second).sum((1, 2))
    return np.where(union > 0, 100 * both / np.maximum(union, 1), 100.0)


def vertex_distance(first: Float32 | Float64, second: Float32) -> Float64:
    """Mean distance of corresponding vertices: (N, V, 3) twice -> (N,)."""
    return np.linalg.norm(first - second, axis=-1).mean(-1, dtype=np.float64)


def align(points: Float32, onto: Float32) -> Float64:
    """Turn and move points (N, V, 3) onto others, by least squares and without scaling.

    Kabsch, A Solution for the Best Rotation to Relate Two Sets of Vectors, 1976.
    """
    centre, goal = (p.mean(1, keepdims=True, dtype=np.float64) for p in (points, onto))
    moved = points - centre
    u, _, vt = np.linalg.svd(np.swapaxes(moved, 1, 2) @ (onto - goal))
    # A reflection would fit better where the determinant is -1; the last axis is turned back.
    u[:, :, -1] *= np.sign(np.linalg.det(u @ vt))[:, None]
    return moved @ (u @ vt) + goal


def group_errors(theta: Float32, truth: Float32, layout: Layout) -> dict[str, Float64]:
    """Root mean square error of each group of theta (N, m) -> (N,); rotation in degrees."""
    errors = {
        name: np.sqrt(np.square(theta[:, part] - truth[:, part], dtype=np.float64).mean(1))
        for name, part in layout.slices.items()
        if part.stop > part.start
    }
    return errors | {"rotation": np.degrees(errors["rotation"])}


def mean_and_sd(errors: Mapping[str, Float64]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over the images of each error."""
    return {
        name: {"mean": float(values.mean()), "sd": float(values.std())}
        for name, values in errors.items()
    }
