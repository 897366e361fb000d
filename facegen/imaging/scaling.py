"""Scaling: images made smaller by areas and larger by cubic splines, rows and columns apart."""

from typing import Any

import numpy as np
from jaxtyping import Float32, UInt32

from facegen.files import Array
from facegen.imaging.optics import add
from facegen.rendering.cpu.memory import HALF, ONE, U64, ZERO, F, kernel


@kernel
def overlap(pixel: int, part: int, step: float) -> Any:
    """The share of a pixel of size `step` that a pixel of size 1 covers; both by their number."""
    low, high = F(pixel) * step, F(pixel + 1) * step
    return max(min(high, F(part + 1)) - max(low, F(part)), ZERO) / step


@kernel
def shrink_row(line: Float32[Array, "3*S"], row: int, low: Float32[Array, "s 3*S"]) -> None:
    """Add the row-th of S rows to those of s rows that it lies in, by area."""
    step = F(len(line) // 3) / F(len(low))
    first = int(F(row) / step)
    for to in range(first, min(first + 2, len(low))):
        weight = overlap(to, row, step)
        if weight > ZERO:
            add(low[to], line, weight)


@kernel
def shrink_taps(size: int, first: UInt32[Array, "s"], weights: Float32[Array, "s T"]) -> None:
    """Which T of `size` pixels each of s pixels lies on, and its shares of them."""
    count, step = weights.shape[1], F(size) / F(len(weights))
    for i in range(len(weights)):
        begin = min(int(F(i) * step), size - count)
        first[i] = begin
        for k in range(count):
            weights[i, k] = overlap(i, begin + k, step)


@kernel
def shrink_columns(
    line: Float32[Array, "3*S"],
    first: UInt32[Array, "s"],
    weights: Float32[Array, "s T"],
    short: Float32[Array, "3*s"],
) -> None:
    """Make a row shorter: each pixel from T pixels."""
    for i in range(len(weights)):
        red = green = blue = ZERO
        at = U64(3) * U64(first[i])
        for k in range(weights.shape[1]):
            weight = weights[i, k]
            red += weight * line[at]
            green += weight * line[at + U64(1)]
            blue += weight * line[at + U64(2)]
            at += U64(3)
        short[3 * i] = red
        short[3 * i + 1] = green
        short[3 * i + 2] = blue


@kernel
def enlarge_taps(small: int, first: UInt32[Array, "S"], weights: Float32[Array, "S 4"]) -> None:
    """Which four of `small` pixels each of S pixels lies between, and Catmull-Rom's weights.

    Beyond the border the outermost pixels repeat (Keys 1981, a = -1/2).
    """
    step = F(small) / F(len(first))
    for i in range(len(first)):
        at = (F(i) + HALF) * step - HALF
        cell = int(np.floor(at))
        t = at - F(cell)
        begin = min(max(cell - 1, 0), small - 4)
        first[i] = begin
        weights[i] = 0
        for k in range(4):
            place = min(max(cell - 1 + k, 0), small - 1)
            weights[i, place - begin] += spline(abs(F(k - 1) - t))


@kernel
def spline(distance: float) -> Any:
    """Keys' cubic with a = -1/2 at a distance of up to 2 pixels."""
    d = distance
    if d < ONE:
        return (F(1.5) * d - F(2.5)) * d * d + ONE
    return ((F(2.5) - HALF * d) * d - F(4)) * d + F(2)


@kernel
def enlarge_row(
    short: Float32[Array, "3*s"],
    first: UInt32[Array, "S"],
    weights: Float32[Array, "S 4"],
    line: Float32[Array, "3*S"],
) -> None:
    """Make a row of three channels longer: each pixel from four."""
    side, size = U64(len(short) // 3), U64(len(weights))
    for i in range(len(weights)):
        p, q, r, s = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
        a, to = U64(first[i]), U64(i)
        for _ in range(3):
            left, right = p * short[a] + q * short[a + U64(1)], r * short[a + U64(2)]
            line[to] = left + right + s * short[a + U64(3)]
            a += side
            to += size


@kernel
def enlarge_column(
    wide: Float32[Array, "s*3*S"],
    first: int,
    weights: Float32[Array, "4"],
    line: Float32[Array, "3*S"],
) -> None:
    """A row of a larger image from four rows, the first of which is `first`."""
    width = U64(len(line))
    a = U64(first) * width
    b, c, d = a + width, a + U64(2) * width, a + U64(3) * width
    p, q, r, s = weights[0], weights[1], weights[2], weights[3]
    for i in range(len(line)):
        x = U64(i)
        line[x] = p * wide[a + x] + q * wide[b + x] + r * wide[c + x] + s * wide[d + x]
