"""Scaling: images made smaller by areas and larger by cubic splines, rows and columns apart."""

import numpy as np
from jaxtyping import Float32, Int32

from facegen.files import Array
from facegen.rendering.cpu.memory import HALF, ONE, ZERO, F, kernel


@kernel
def shrink_taps(size: int, first: Int32[Array, "s"], weights: Float32[Array, "s T"]) -> None:
    """Which T of `size` pixels each of s pixels is the mean of, by area; T is size / s + 1 or more."""
    small, step = len(first), F(size) / F(len(first))
    count = weights.shape[1]
    for i in range(small):
        low, high = F(i) * step, min(F(i + 1) * step, F(size))
        first[i] = min(int(low), size - count)
        for k in range(count):
            left = F(first[i] + k)
            share = min(high, left + ONE) - max(low, left)
            weights[i, k] = max(share, ZERO) / (high - low)


@kernel
def enlarge_taps(small: int, first: Int32[Array, "S"], weights: Float32[Array, "S 4"]) -> None:
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
def scale_rows(
    source: Float32[Array, "h 3 w"],
    first: Int32[Array, "n"],
    weights: Float32[Array, "n T"],
    target: Float32[Array, "h 3 n"],
) -> None:
    """Make rows shorter or longer: each pixel from T pixels of its row."""
    for row in range(len(source)):
        for x in range(len(first)):
            for c in range(3):
                at, total = first[x], ZERO
                for k in range(weights.shape[1]):
                    total += weights[x, k] * source[row, c, at + k]
                target[row, c, x] = total


@kernel
def scale_column(
    source: Float32[Array, "h 3 w"],
    first: int,
    weights: Float32[Array, "T"],
    line: Float32[Array, "3 w"],
) -> None:
    """One row from T rows, the first of which is `first`."""
    out = line.reshape(-1)
    out[:] = 0
    for k in range(len(weights)):
        weight, row = weights[k], source[first + k].reshape(-1)
        for x in range(len(out)):
            out[x] += weight * row[x]
