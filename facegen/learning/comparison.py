"""Inputs, re-renderings and error maps, one below the other in one image."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.dataset.encoding import encode_png
from facegen.files import Array, write_file

# Black, red, yellow, white, at these colour distances.
_DISTANCES = np.array([0, 40, 80, 120])
_COLOURS = np.array([[0, 0, 0], [255, 0, 0], [255, 255, 0], [255, 255, 255]])


def strips(
    images: UInt8[Array, "N S S 3"],
    rendered: UInt8[Array, "N S S 3"],
    distances: Float32[Array, "N S S"],
) -> Iterator[UInt8[Array, "3*S S 3"]]:
    """Each face as input, re-rendering and error map (white: 120 of 8 bit or more)."""
    for image, rendering, distance in zip(images, rendered, distances, strict=True):
        channels = [np.interp(distance, _DISTANCES, channel) for channel in _COLOURS.T]
        yield np.concatenate([image, rendering, np.stack(channels, -1).astype(np.uint8)])


def save(comparison: UInt8[Array, "H W 3"], path: Path) -> None:
    """Write the image as PNG, whole or not at all."""
    write_file(path, encode_png(comparison))
