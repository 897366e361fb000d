"""The sensor: how much light falls on each pixel, and its noise."""

from typing import Any

import numpy as np
from jaxtyping import Float32, UInt32, UInt64

from facegen.files import Array
from facegen.rendering.cpu.memory import HALF, I32, ONE, U32, ZERO, F, kernel

# The sum of four bytes that take all values alike has this mean and standard deviation.
_MEAN = F(4 * 127.5)
_SCALE = F(1 / np.sqrt(4 * (256**2 - 1) / 12))
SHARED, _OWN = F(0.6), F(0.8)


def noise_keys(seeds: UInt64[Array, "N"]) -> UInt32[Array, "N 2"]:
    """Two words for each seed, by SplitMix64's finaliser (Steele et al. 2014)."""
    z = np.asarray(seeds, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.stack([z & np.uint64(0xFFFFFFFF), z >> np.uint64(32)], axis=1).astype(np.uint32)


@kernel
def hashed(counter: int, key: int, other: int) -> Any:
    """32 bits from a counter and two keys: Wellons's lowbias32, the second key between rounds."""
    h = U32(U32(counter) ^ U32(key))
    h = U32(h ^ (h >> U32(16)))
    h = U32(h * U32(0x7FEB352D))
    h = U32(h ^ (h >> U32(15)) ^ U32(other))
    h = U32(h * U32(0x846CA68B))
    return U32(h ^ (h >> U32(16)))


@kernel
def normal_of(bits: int) -> Any:
    """A number of mean 0 and variance 1, nearly normal: the sum of the bits' four bytes."""
    pairs = U32((bits & U32(0x00FF00FF)) + ((bits >> U32(8)) & U32(0x00FF00FF)))
    total = U32((pairs & U32(0xFFFF)) + (pairs >> U32(16)))
    return (F(I32(total)) - _MEAN) * _SCALE


@kernel
def expose(
    light: Float32[Array, "3*S"],
    row: int,
    gain: tuple[float, float, float],
    fall: float,
    line: Float32[Array, "3 S"],
) -> None:
    """A row of a square image, light times gain and less towards the corners, channels apart.

    fall: tan² of the angle at which the corners are seen: light falls off as cos⁴ of the angle.
    """
    size = line.shape[1]
    centre, scale = F(size) * HALF, F(2) * fall / (F(size) * F(size))
    down = F(row) + HALF - centre
    red, green, blue = line[0], line[1], line[2]
    for x in range(size):
        right = F(x) + HALF - centre
        root = ONE + scale * (right * right + down * down)
        share = ONE / (root * root)
        red[x] = light[3 * x] * gain[0] * share
        green[x] = light[3 * x + 1] * gain[1] * share
        blue[x] = light[3 * x + 2] * gain[2] * share


@kernel
def add_noise(
    line: Float32[Array, "3 S"], row: int, shot: float, read: float, keys: tuple[int, int]
) -> None:
    """Noise of variance shot x + read² on light x, in place: a function of keys and place.

    The noise of red and of blue has the correlation SHARED with that of green: cameras find the
    colours of a pixel from its neighbours' and smooth differences of colour more than light.
    """
    size, floor = line.shape[1], read * read
    start = U32(row * 3 * size)
    red, green, blue = line[0], line[1], line[2]
    for x in range(size):
        at = U32(start + U32(x))
        common = normal_of(hashed(at, keys[0], keys[1]))
        one = normal_of(hashed(U32(at + U32(size)), keys[0], keys[1]))
        other = normal_of(hashed(U32(at + U32(2 * size)), keys[0], keys[1]))
        green[x] += common * np.sqrt(shot * max(green[x], ZERO) + floor)
        one, other = SHARED * common + _OWN * one, SHARED * common + _OWN * other
        red[x] += one * np.sqrt(shot * max(red[x], ZERO) + floor)
        blue[x] += other * np.sqrt(shot * max(blue[x], ZERO) + floor)
