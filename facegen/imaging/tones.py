"""Tones: sRGB, the roll-off of highlights and contrast, joined in one curve per photograph."""

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from facegen.files import Array
from facegen.rendering.cpu.memory import HALF, I32, ONE, ZERO, F, kernel

# The curve's knots lie evenly over the root of light, from 0 to that of WHITE.
WHITE = 4
KNOTS = 512
_KNOTS_PER_ROOT = F(KNOTS / WHITE**0.5)
_LAST = F(KNOTS)
_WHITE = F(WHITE)


def encode(linear: Float[Array, "*n"]) -> Float64[Array, "*n"]:
    """Linear light in [0, 1] -> sRGB in [0, 1] (IEC 61966-2-1)."""
    linear = np.clip(np.asarray(linear, np.float64), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def decode(encoded: Float[Array, "*n"]) -> Float64[Array, "*n"]:
    """sRGB in [0, 1] -> linear light in [0, 1] (IEC 61966-2-1)."""
    encoded = np.clip(np.asarray(encoded, np.float64), 0, 1)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


DECODED: Float32[Array, "256"] = decode(np.arange(256) / 255).astype(np.float32)


def linear_light(images: UInt8[Array, "*n"]) -> Float32[Array, "*n"]:
    """Pictures in 8-bit sRGB -> linear light in [0, 1]."""
    light = np.empty(images.shape, np.float32)
    put_decoded(np.ascontiguousarray(images).reshape(-1), DECODED, light.reshape(-1))
    return light


@kernel
def put_decoded(
    codes: UInt8[Array, "n"], table: Float32[Array, "256"], light: Float32[Array, "n"]
) -> None:
    """The table's value of each code."""
    for i in range(len(codes)):
        light[i] = table[codes[i]]


@kernel
def rolled_off(light: float, shoulder: float) -> float:
    """Light whose highlights roll off, in [0, 1].

    Up to the shoulder s nothing changes; above it, t = (x - s) / (1 - s) becomes
    t (1 + t / T²) / (1 + t), which begins with slope 1 and reaches white at x = WHITE, where t is T
    (Reinhard et al. 2002, equation 4, of what lies above the shoulder).
    """
    if light <= shoulder or shoulder >= ONE:
        return min(light, ONE)
    t = (light - shoulder) / (ONE - shoulder)
    most = (_WHITE - shoulder) / (ONE - shoulder)
    rolled = t * (ONE + t / (most * most)) / (ONE + t)
    return min(shoulder + (ONE - shoulder) * rolled, ONE)


@kernel
def encoded_tone(light: float) -> float:
    """`encode` of one number in [0, 1]."""
    if light <= F(0.0031308):
        return F(12.92) * light
    return F(1.055) * light ** F(1 / 2.4) - F(0.055)


@kernel
def contrasted(tone: float, slope: float) -> float:
    """A tone in [0, 1] through an S that keeps 0, 1/2 and 1 and has this slope at 1/2.

    u / (c + (1 - c) u) for the darker half, u = 2 tone and c the slope, and its mirror image for
    the lighter (Schlick 1994, Fast alternatives to Perlin's gain).
    """
    u = F(2) * min(tone, ONE - tone)
    half = HALF * u / (slope + (ONE - slope) * u)
    return half if tone < HALF else ONE - half


@kernel
def fill_curve(shoulder: float, contrast: float, curve: Float32[Array, "{KNOTS}+2"]) -> None:
    """The tone of light x at the knot KNOTS √(x / WHITE): rolled off, encoded, contrasted."""
    for knot in range(len(curve)):
        root = F(min(knot, KNOTS)) / _KNOTS_PER_ROOT
        tone = encoded_tone(rolled_off(root * root, shoulder))
        curve[knot] = contrasted(tone, contrast)


@kernel
def put_tones(line: Float32[Array, "3 S"], curve: Float32[Array, "{KNOTS}+2"]) -> None:
    """Linear light -> tones along the curve, in place."""
    for c in range(3):
        for x in range(line.shape[1]):
            at = np.sqrt(max(line[c, x], ZERO)) * _KNOTS_PER_ROOT
            at = min(at, _LAST)
            knot = I32(at)
            below = curve[knot]
            line[c, x] = below + (at - F(knot)) * (curve[knot + 1] - below)
