"""Errors of estimated faces, in the poster's columns. Distances in mm, colours of 8 bit."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from facegen.files import Array
from facegen.scene.parameters import Layout

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


def mean_and_sd(errors: Mapping[str, Float64[Array, "N"]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over the images of each error."""
    return {
        name: {"mean": float(values.mean()), "sd": float(values.std())}
        for name, values in errors.items()
    }
