"""What pixels of a surface have: interpolated into lanes, and put from them into images."""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.rendering.cpu.lanes import UNUSED, W0, W1, W2, corners, edges
from facegen.rendering.cpu.memory import (
    BLOCK,
    HALF,
    I32,
    ONE,
    SUBPIXELS,
    U32,
    ZERO,
    F,
    Work,
    kernel,
)

FULL, TINY = F(255), F(1e-30)
ALBEDO, NORMAL, VALUES, WEIGHT, SHADING, GLOSS, TANGENT, VIEW = (
    UNUSED + 3 * k * BLOCK for k in range(8)
)
DEPTH, FINISH = UNUSED + 24 * BLOCK, UNUSED + 25 * BLOCK


@kernel
def find_pixels(place: UInt32[Array, "n"], size: int, pixel: UInt32[Array, "n"]) -> None:
    """Where pixels of these rows and columns are in the image."""
    for j in range(len(place)):
        pixel[j] = (place[j] >> U32(16)) * U32(size) + (place[j] & U32(0xFFFF))


@kernel
def weigh(lanes: Float32[Array, "rows*block"], place: UInt32[Array, "n"]) -> None:
    """The perspective-correct weights of each triangle's corners at its pixel, and its distance."""
    for j in range(len(place)):
        x = SUBPIXELS * F(I32(place[j] & U32(0xFFFF)))
        y = SUBPIXELS * F(I32(place[j] >> U32(16)))
        x0, x1, x2, y0, y1, y2 = corners(lanes, j, x, y)
        e0, e1, e2 = edges(x0, x1, x2, y0, y1, y2)
        area = e0 + e1 + e2
        e0, e1, e2 = e0 * lanes[W0 + j], e1 * lanes[W1 + j], e2 * lanes[W2 + j]
        scale = ONE / (e0 + e1 + e2)
        lanes[WEIGHT + j] = e0 * scale
        lanes[WEIGHT + BLOCK + j] = e1 * scale
        lanes[WEIGHT + 2 * BLOCK + j] = e2 * scale
        lanes[DEPTH + j] = area * scale


@kernel
def interpolate(
    triangles: UInt32[Array, "3*F"],
    chosen: UInt32[Array, "n"],
    values: Float32[Array, "3*V"],
    lanes: Float32[Array, "rows*block"],
    to: int,
) -> None:
    """Values (3 V,) at the pixels of the chosen triangles, into three rows from `to`."""
    out = lanes[to : to + 3 * BLOCK]
    for j in range(len(chosen)):
        t = 3 * chosen[j]
        a, b, c = triangles[t], triangles[t + 1], triangles[t + 2]
        p, q, r = lanes[WEIGHT + j], lanes[WEIGHT + BLOCK + j], lanes[WEIGHT + 2 * BLOCK + j]
        out[j] = p * values[a] + q * values[b] + r * values[c]
        out[BLOCK + j] = p * values[a + 1] + q * values[b + 1] + r * values[c + 1]
        out[2 * BLOCK + j] = p * values[a + 2] + q * values[b + 2] + r * values[c + 2]


@kernel
def turn(
    lanes: Float32[Array, "rows*block"], count: int, transform: Float32[Array, "4 4"], row: int
) -> None:
    """Three rows of directions from model space into eye space, made of unit length."""
    m00, m01, m02 = transform[0, 0], transform[0, 1], transform[0, 2]
    m10, m11, m12 = transform[1, 0], transform[1, 1], transform[1, 2]
    m20, m21, m22 = transform[2, 0], transform[2, 1], transform[2, 2]
    rows = lanes[row : row + 3 * BLOCK]
    for j in range(count):
        x, y, z = rows[j], rows[BLOCK + j], rows[2 * BLOCK + j]
        scale = ONE / np.sqrt(max(x * x + y * y + z * z, TINY))
        x, y, z = x * scale, y * scale, z * scale
        rows[j] = m00 * x + m01 * y + m02 * z
        rows[BLOCK + j] = m10 * x + m11 * y + m12 * z
        rows[2 * BLOCK + j] = m20 * x + m21 * y + m22 * z


@kernel
def put(
    work: Work, row: int, low: float, pixel: UInt32[Array, "n"], image: UInt8[Array, "3*P"]
) -> None:
    """Three rows of lanes, [low, 1] made [0, 255] and rounded, into an image (3 P,)."""
    values, quantised = work.lanes[row : row + 3 * BLOCK], work.quantised
    scale = FULL / (ONE - low)
    for j in range(3 * BLOCK):
        value = min(max(scale * (values[j] - low), ZERO), FULL)
        quantised[j] = np.uint8(I32(value + HALF))
    for j in range(len(pixel)):
        at = 3 * pixel[j]
        image[at] = quantised[j]
        image[at + 1] = quantised[BLOCK + j]
        image[at + 2] = quantised[2 * BLOCK + j]


@kernel
def add_exact(
    lanes: Float32[Array, "rows*block"],
    row: int,
    pixel: UInt32[Array, "n"],
    image: Float32[Array, "3*P"],
) -> None:
    """Three rows of lanes added to an image (3 P,), which begins empty."""
    values = lanes[row : row + 3 * BLOCK]
    for j in range(len(pixel)):
        at = 3 * pixel[j]
        image[at] += values[j]
        image[at + 1] += values[BLOCK + j]
        image[at + 2] += values[2 * BLOCK + j]
