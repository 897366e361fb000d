"""Kernels that fill what a face leaves empty."""

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from facegen.files import Array
from facegen.rendering.cpu.compiling import compiled


@compiled()
def put_behind(
    images: UInt8[Array, "N H W 3"], mask: UInt8[Array, "N H W"], behind: UInt8[Array, "N h w 3"]
) -> None:
    """Fill images where the mask is 0 from `behind`, in place.

    behind is as large as the images, or one pixel for all of an image.
    """
    count, height, width = mask.shape
    step = 0 if behind.shape[1] == 1 else 1
    for face in range(count):
        for row in range(height):
            for column in range(width):
                if mask[face, row, column] == 0:
                    for channel in range(3):
                        value = behind[face, row * step, column * step, channel]
                        images[face, row, column, channel] = value


@compiled()
def add_light(
    radiance: Float32[Array, "N H W 3"],
    covered: UInt8[Array, "N H W"],
    images: UInt8[Array, "n H W 3"],
    faces: Int64[Array, "n"],
    decoded: Float32[Array, "256"],
) -> None:
    """Add decoded images to some faces' radiance where nothing covers it, in place."""
    height, width = covered.shape[1:]
    for n in range(len(faces)):
        face = faces[n]
        for row in range(height):
            for column in range(width):
                if covered[face, row, column] == 0:
                    for channel in range(3):
                        value = images[n, row, column, channel]
                        radiance[face, row, column, channel] += decoded[value]


@compiled()
def put_noise(
    images: UInt8[Array, "N H W 3"],
    mask: UInt8[Array, "N H W"],
    coarse: Float32[Array, "N 4 4 3"],
    fine: Float32[Array, "N 8 8 3"],
    node: Int64[Array, "W"],
    step: Float32[Array, "W"],
    fine_node: Int64[Array, "W"],
    fine_step: Float32[Array, "W"],
) -> None:
    """Fill images where the mask is 0 with the sum of two lattices of colours, in place.

    node, step: for each pixel of a row, the node before it and how far it is to the next.
    """
    count, height, width = mask.shape
    for face in range(count):
        for row in range(height):
            i, j = node[row], fine_node[row]
            a = coarse[face, i] + (coarse[face, i + 1] - coarse[face, i]) * step[row]
            b = fine[face, j] + (fine[face, j + 1] - fine[face, j]) * fine_step[row]
            for column in range(width):
                if mask[face, row, column] == 0:
                    k, m = node[column], fine_node[column]
                    s, t = step[column], fine_step[column]
                    for c in range(3):
                        value = a[k, c] + (a[k + 1, c] - a[k, c]) * s
                        value += b[m, c] + (b[m + 1, c] - b[m, c]) * t
                        images[face, row, column, c] = np.uint8(value + np.float32(0.5))
