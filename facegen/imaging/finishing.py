"""Finishing: colour, sharpness, and 8 bits."""

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.rendering.cpu.memory import HALF, I32, ZERO, F, kernel

FULL = F(255)
RED, GREEN, BLUE = F(0.2126), F(0.7152), F(0.0722)


@kernel
def find_luma(line: Float32[Array, "3 S"], luma: Float32[Array, "S"]) -> None:
    """The luma of a row of tones, with the weights of ITU-R BT.709."""
    for x in range(len(luma)):
        luma[x] = RED * line[0, x] + GREEN * line[1, x] + BLUE * line[2, x]


@kernel
def saturate(
    line: Float32[Array, "3 S"], luma: Float32[Array, "S"], saturation: float
) -> None:
    """Tones moved from their luma, or towards it, in place."""
    for c in range(3):
        for x in range(len(luma)):
            line[c, x] = luma[x] + saturation * (line[c, x] - luma[x])


@kernel
def sharpen(
    line: Float32[Array, "3 S"],
    luma: Float32[Array, "S S"],
    row: int,
    amount: float,
    detail: Float32[Array, "S+2"],
) -> None:
    """Add to a row of tones `amount` times what a 3 x 3 binomial blur takes from the luma."""
    size, last = line.shape[1], len(luma) - 1
    above, here, below = luma[max(row - 1, 0)], luma[row], luma[min(row + 1, last)]
    for x in range(size):
        detail[x + 1] = above[x] + here[x] + here[x] + below[x]
    detail[0], detail[size + 1] = detail[1], detail[size]
    for x in range(size):
        blurred = (detail[x] + detail[x + 1] + detail[x + 1] + detail[x + 2]) * F(1 / 16)
        lift = amount * (here[x] - blurred)
        line[0, x] += lift
        line[1, x] += lift
        line[2, x] += lift


@kernel
def put_bytes(line: Float32[Array, "3 S"], out: UInt8[Array, "S 3"]) -> None:
    """Round a row of tones in [0, 1] to 8 bits."""
    for x in range(line.shape[1]):
        for c in range(3):
            value = min(max(line[c, x] * FULL, ZERO), FULL)
            out[x, c] = np.uint8(I32(value + HALF))
