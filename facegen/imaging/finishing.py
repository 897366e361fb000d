"""Finishing: colour, sharpness, and 8 bits."""

from typing import Any

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
def saturate(line: Float32[Array, "3 S"], luma: Float32[Array, "S"], saturation: float) -> None:
    """Tones moved from their luma, or towards it, in place."""
    for c in range(3):
        for x in range(len(luma)):
            line[c, x] = luma[x] + saturation * (line[c, x] - luma[x])


@kernel
def sharpen(
    line: Float32[Array, "3 S"],
    luma: Float32[Array, "r S"],
    row: int,
    amount: float,
    sums: Float32[Array, "S+2"],
) -> None:
    """Add to a row of tones `amount` times what a 3 x 3 binomial blur takes from the luma.

    luma: of S rows, each at its number modulo r.
    """
    size = line.shape[1]
    above, here = luma[max(row - 1, 0) % len(luma)], luma[row % len(luma)]
    below = luma[min(row + 1, size - 1) % len(luma)]
    middle, right = sums[1 : size + 1], sums[2 : size + 2]
    for x in range(size):
        middle[x] = F(1 / 16) * (above[x] + here[x] + here[x] + below[x])
    sums[0], sums[size + 1] = sums[1], sums[size]
    red, green, blue = line[0], line[1], line[2]
    for x in range(size):
        lift = amount * (here[x] - (sums[x] + middle[x] + middle[x] + right[x]))
        red[x] += lift
        green[x] += lift
        blue[x] += lift


@kernel
def put_bytes(line: Float32[Array, "3 S"], out: UInt8[Array, "S 3"]) -> None:
    """Round a row of tones in [0, 1] to 8 bits."""
    red, green, blue, pixels = line[0], line[1], line[2], out.reshape(-1)
    for x in range(len(red)):
        pixels[3 * x] = rounded(red[x])
        pixels[3 * x + 1] = rounded(green[x])
        pixels[3 * x + 2] = rounded(blue[x])


@kernel
def rounded(tone: float) -> Any:
    """A tone in 8 bits."""
    return np.uint8(I32(min(max(tone * FULL, ZERO), FULL) + HALF))
