"""Tones: sRGB, how highlights roll off, and contrast."""

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from facegen.files import Array
from facegen.rendering.cpu.memory import HALF, ONE, ZERO, F, kernel

# Highlights that roll off reach white here.
WHITE = F(4)

# sRGB's power law over the fourth root of light: Chebyshev's fit, within 1e-5 where it holds.
_C0, _C1, _C2 = F(-0.06148334), F(0.16349549), F(1.24977997)
_C3, _C4, _C5 = F(-0.56738774), F(0.28097105), F(-0.06538064)
_TOE, _TOE_SLOPE = F(0.0031308), F(12.92)


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
def roll_off(line: Float32[Array, "n"], shoulder: float) -> None:
    """Light whose highlights roll off to white, in place.

    Up to the shoulder s nothing changes; above it, t = (x - s) / (1 - s) becomes
    t (1 + t / T²) / (1 + t), which begins with slope 1 and reaches white at x = WHITE, where t is T
    (Reinhard et al. 2002, equation 4, applied to what lies above the shoulder).
    """
    rest = ONE - shoulder
    scale, bend = ONE / rest, rest / (WHITE - shoulder)
    bend *= bend
    for x in range(len(line)):
        over = max(line[x] - shoulder, ZERO)
        t = over * scale
        line[x] += rest * t * (ONE + t * bend) / (ONE + t) - over


@kernel
def put_encoded(line: Float32[Array, "n"]) -> None:
    """`encode`, within 1e-5, in place."""
    for x in range(len(line)):
        light = min(max(line[x], ZERO), ONE)
        q = np.sqrt(np.sqrt(light))
        tone = _C0 + q * (_C1 + q * (_C2 + q * (_C3 + q * (_C4 + q * _C5))))
        line[x] = _TOE_SLOPE * light if light <= _TOE else tone


@kernel
def put_contrast(line: Float32[Array, "n"], slope: float) -> None:
    """Tones in [0, 1] through an S that keeps 0, 1/2 and 1, with this slope at 1/2, in place.

    u / (c + (1 - c) u) / 2 for the darker half, u = 2 tone and c the slope, and its mirror image
    for the lighter half (Schlick 1994, Fast alternatives to Perlin's bias and gain).
    """
    rest = ONE - slope
    for x in range(len(line)):
        tone = line[x]
        u = F(2) * min(tone, ONE - tone)
        half = HALF * u / (slope + rest * u)
        line[x] = half if tone < HALF else ONE - half
