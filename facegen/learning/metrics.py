"""Errors of estimated faces, in the poster's columns. Distances in mm, colours of 8 bit."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from facegen.files import Array
from facegen.scene.parameters import Layout

OUTER_CORNERS, INNER = (36, 45), slice(17, 68)
# Red, green and blue all wrong by 255: what an estimate gets that nowhere covers the face.
LARGEST_COLOUR_ERROR = 255 * np.sqrt(3)


def colour_distance(
    first: UInt8[Array, "N H W 3"], second: UInt8[Array, "N H W 3"]
) -> Float32[Array, "N H W"]:
    """Euclidean distance of RGB per pixel, 0 to 441.7."""
    difference = first.astype(np.float32) - second.astype(np.float32)
    return np.asarray(np.linalg.norm(difference, axis=-1), np.float32)


def photometric(
    inputs: UInt8[Array, "N H W 3"], rendered: UInt8[Array, "N H W 3"], both: Bool[Array, "N H W"]
) -> Float64[Array, "N"]:
    """Mean colour distance over the pixels that both masks hold."""
    total = (colour_distance(inputs, rendered) * both).sum((1, 2), dtype=np.float64)
    pixels = both.sum((1, 2))
    return np.asarray(np.where(pixels > 0, total / np.maximum(pixels, 1), LARGEST_COLOUR_ERROR))


def overlap(first: Bool[Array, "N H W"], second: Bool[Array, "N H W"]) -> Float64[Array, "N"]:
    """Intersection over union of masks in percent; 100 for two empty ones."""
    union = (first | second).sum((1, 2))
    both = (first & second).sum((1, 2))
    return np.where(union > 0, 100 * both / np.maximum(union, 1), 100.0)


def vertex_distance(
    first: Float[Array, "N V 3"], second: Float[Array, "N V 3"]
) -> Float64[Array, "N"]:
    """Mean distance of corresponding vertices."""
    distances = np.linalg.norm(first - second, axis=-1)
    return np.asarray(distances.mean(-1, dtype=np.float64))


def group_errors(
    theta: Float32[Array, "N m"], truth: Float32[Array, "N m"], layout: Layout
) -> dict[str, Float64[Array, "N"]]:
    """Root mean square error of each group of theta; rotation in degrees."""
    errors = {
        name: np.sqrt(np.square(theta[:, part] - truth[:, part], dtype=np.float64).mean(1))
        for name, part in layout.slices.items()
        if part.stop > part.start
    }
    return errors | {"rotation": np.degrees(errors["rotation"])}


def nme(found: Float[Array, "N 68 2"], marked: Float[Array, "N 68 2"]) -> Float64[Array, "N 2"]:
    """The mean distance of landmarks in percent of the outer eye distance, 36 to 45.

    Of each face over all 68 landmarks, and over the inner 51.
    """
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


def area_under_curve(errors: Float64[Array, "N"], most: float = 8.0) -> float:
    """The mean share of faces whose NME is below a bound, over bounds up to `most` percent."""
    return float((1 - errors / most).clip(0).mean())


def mean_and_sd(errors: Mapping[str, Float64[Array, "N"]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over the images of each error."""
    return {
        name: {"mean": float(values.mean()), "sd": float(values.std())}
        for name, values in errors.items()
    }
