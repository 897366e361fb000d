"""Strands of hair on ribbons: which pixels of a ribbon are hair, and how locks differ in tone."""

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.rendering.cpu.memory import BLOCK, U32, F, kernel

SPREAD, SHIFT = U32(0x9E3779B1), U32(0x85EBCA77)
TO_UNIT = F(2.0**-24)
TONE_RATE, TONE_LOW, TONE_SPAN = F(0.61), F(0.72), F(0.56)


@kernel
def noise(s: float) -> float:
    """Smooth noise in [0, 1) along a line: hashed values at whole numbers, blended between them."""
    below = np.floor(s)
    f = s - below
    i = U32(np.int32(below))
    a, b = hashed(i), hashed(i + U32(1))
    return a + (b - a) * f * f * (F(3) - F(2) * f)


@kernel
def hashed(i: int) -> float:
    """A whole number's value in [0, 1)."""
    x = U32(i * SPREAD)
    x = U32((x ^ (x >> U32(15))) * SHIFT)
    x = U32(x ^ (x >> U32(13)))
    return F(np.int32(x >> U32(8))) * TO_UNIT


@kernel
def comb(lanes: Float32[Array, "rows*block"], count: int, strand: int, albedo: int) -> None:
    """Lighten and darken albedo by locks; strand: the row of s."""
    along, rows = lanes[strand : strand + BLOCK], lanes[albedo : albedo + 3 * BLOCK]
    for j in range(count):
        tone = TONE_LOW + TONE_SPAN * noise(TONE_RATE * along[j])
        rows[j] *= tone
        rows[BLOCK + j] *= tone
        rows[2 * BLOCK + j] *= tone
