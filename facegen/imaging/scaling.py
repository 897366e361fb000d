"""Scaling: images made smaller by areas and larger by cubic splines, rows and columns apart."""

import numpy as np
from jaxtyping import Float32, UInt32

from facegen.files import Array
from facegen.imaging.optics import add
from facegen.rendering.cpu.memory import HALF, ONE, U32, ZERO, F, kernel


@kernel
def overlap(pixel: int, part: int, step: float) -> float:
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
def shrink_columns(line: Float32[Array, "3*S"], short: Float32[Array, "3*s"]) -> None:
    """Make a row shorter, by area."""
    size, side = len(line) // 3, len(short) // 3
    step = F(size) / F(side)
    short[:] = 0
    for x in range(size):
        first = int(F(x) / step)
        for to in range(first, min(first + 2, side)):
            weight = overlap(to, x, step)
            for c in range(3):
                short[3 * to + c] += weight * line[3 * x + c]


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
def spline(distance: float) -> float:
    """Keys' cubic with a = -1/2 at a distance of up to 2 pixels."""
    d = distance
    if d < ONE:
        return (F(1.5) * d - F(2.5)) * d * d + ONE
    return ((F(2.5) - HALF * d) * d - F(4)) * d + F(2)


@kernel
def enlarge_row(
    short: Float32[Array, "3 s"],
    first: UInt32[Array, "S"],
    weights: Float32[Array, "S 4"],
    line: Float32[Array, "3 S"],
) -> None:
    """Make a row longer: each pixel from four."""
    for x in range(len(first)):
        a = first[x]
        b, c, d = a + U32(1), a + U32(2), a + U32(3)
        p, q, r, s = weights[x, 0], weights[x, 1], weights[x, 2], weights[x, 3]
        for i in range(3):
            line[i, x] = p * short[i, a] + q * short[i, b] + r * short[i, c] + s * short[i, d]


@kernel
def enlarge_column(
    wide: Float32[Array, "s 3 S"],
    first: int,
    weights: Float32[Array, "4"],
    line: Float32[Array, "3 S"],
) -> None:
    """A row of a larger image from four rows, the first of which is `first`."""
    out = line.reshape(-1)
    a, b = wide[first].reshape(-1), wide[first + 1].reshape(-1)
    c, d = wide[first + 2].reshape(-1), wide[first + 3].reshape(-1)
    p, q, r, s = weights[0], weights[1], weights[2], weights[3]
    for x in range(len(out)):
        out[x] = p * a[x] + q * b[x] + r * c[x] + s * d[x]
