"""Light: irradiance of spherical harmonics, and the highlights of skin, eyes and hair."""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.rendering.cpu.memory import BLOCK, I32, ONE, U32, ZERO, F, kernel
from facegen.rendering.cpu.pixels import (
    ALBEDO,
    FINISH,
    GLOSS,
    NORMAL,
    SHADING,
    TANGENT,
    VALUES,
    VIEW,
)
from facegen.rendering.finishes import (
    BROAD_LINEAR,
    BROAD_SQUARE,
    FINISHES,
    FRESNEL_HIGH,
    FRESNEL_LOW,
    HAIR_FIRST,
    HAIR_SECOND,
    HAIR_WRAP,
    LEAST_LIGHT,
    LOBES,
    TO_LINEAR,
)
from facegen.scene.cameras import LEAST_DISTORTION

TABLE = FINISHES
L1, L2 = F(BROAD_LINEAR), F(BROAD_SQUARE)
LEAST = F(LEAST_LIGHT)
LOW, HIGH = F(FRESNEL_LOW), F(FRESNEL_HIGH)
G64, G256 = (F(gain) for gain in LOBES)
FIRST, SECOND, WRAP = F(HAIR_FIRST), F(HAIR_SECOND), F(HAIR_WRAP)
C5, C4, C3, C2, C1, C0 = (F(c) for c in TO_LINEAR)
TINY = F(1e-12)
# Cosines whose powers are nothing, but still normal numbers, which CPUs are quick with.
DULL, FAR_OFF = F(0.75), F(0.1)
LEAST_FACTOR, STEPS = F(LEAST_DISTORTION), 8


@kernel
def row_of(
    lanes: Float32[Array, "rows*block"], first: int, channel: int
) -> Float32[Array, "block"]:
    """One of three rows of lanes."""
    return lanes[first + channel * BLOCK : first + (channel + 1) * BLOCK]


@kernel
def irradiate(
    lanes: Float32[Array, "rows*block"], count: int, illumination: Float32[Array, "9 3"], to: int
) -> None:
    """Irradiance at the normals into rows `to`; illumination (9, 3) times its basis' constants."""
    for channel in range(3):
        weights = illumination[:, channel]
        l0, l1, l2, l3, l4 = weights[0], weights[1], weights[2], weights[3], weights[4]
        l5, l6, l7, l8 = weights[5], weights[6], weights[7], weights[8]
        out = row_of(lanes, to, channel)
        for j in range(count):
            x, y, z = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
            linear = l0 + l1 * y + l2 * z + l3 * x
            cross = l4 * x * y + l5 * y * z + l7 * x * z
            square = l6 * (F(3) * z * z - ONE) + l8 * (x * x - y * y)
            out[j] = linear + cross + square


@kernel
def light(
    lanes: Float32[Array, "rows*block"], count: int, illumination: Float32[Array, "9 3"]
) -> None:
    """Display-referred colour: reflectance times irradiance, into VALUES."""
    irradiate(lanes, count, illumination, VALUES)
    for j in range(3 * BLOCK):
        lanes[VALUES + j] *= lanes[ALBEDO + j]


@kernel
def linearise(lanes: Float32[Array, "rows*block"]) -> None:
    """The albedo as linear light, into VALUES: sRGB's curve within 0.0003 (IEC 61966-2-1)."""
    for j in range(3 * BLOCK):
        x = min(max(lanes[ALBEDO + j], ZERO), ONE)
        lanes[VALUES + j] = ((((C5 * x + C4) * x + C3) * x + C2) * x + C1) * x + C0


@kernel
def keep_off(
    lanes: Float32[Array, "rows*block"],
    illumination: Float32[Array, "9 3"],
    kept_off: int,
) -> None:
    """Take the light that surroundings keep off from the irradiance.

    kept_off: the row of what is kept off; the share that is left stays there.
    """
    for channel in range(3):
        least, shading = LEAST * illumination[0, channel], row_of(lanes, SHADING, channel)
        kept = row_of(lanes, kept_off, channel)
        for j in range(BLOCK):
            whole = max(shading[j], least)
            left = min(max(shading[j] + kept[j], least), whole + whole)
            kept[j] = min(left / max(whole, TINY), ONE)
            shading[j] = left


@kernel
def clip_below(lanes: Float32[Array, "rows*block"], illumination: Float32[Array, "9 3"]) -> None:
    """No irradiance below the least there is."""
    for channel in range(3):
        least, shading = LEAST * illumination[0, channel], row_of(lanes, SHADING, channel)
        for j in range(BLOCK):
            shading[j] = max(shading[j], least)


@kernel
def look(
    lanes: Float32[Array, "rows*block"],
    place: UInt32[Array, "n"],
    K: Float32[Array, "3 3"],
) -> None:
    """The unit vectors from pixels to the camera, into VIEW."""
    scale, cx, cy = ONE / K[0, 0], K[0, 2] - F(0.5), K[1, 2] - F(0.5)
    for j in range(len(place)):
        x = (cx - F(I32(place[j] & U32(0xFFFF)))) * scale
        y = (F(I32(place[j] >> U32(16))) - cy) * scale
        length = ONE / np.sqrt(x * x + y * y + ONE)
        lanes[VIEW + j], lanes[VIEW + BLOCK + j] = x * length, y * length
        lanes[VIEW + 2 * BLOCK + j] = length


@kernel
def straighten(lanes: Float32[Array, "rows*block"], count: int, k1: float) -> None:
    """Turn VIEW to where points are that a lens of this radial distortion shows at the pixels."""
    for j in range(count):
        x, y, z = lanes[VIEW + j], lanes[VIEW + BLOCK + j], lanes[VIEW + 2 * BLOCK + j]
        pull, factor = k1 * (x * x + y * y) / (z * z), ONE
        for _ in range(STEPS):
            factor = max(ONE + pull / (factor * factor), LEAST_FACTOR)
        x, y = x / factor, y / factor
        length = ONE / np.sqrt(x * x + y * y + z * z)
        lanes[VIEW + j], lanes[VIEW + BLOCK + j] = x * length, y * length
        lanes[VIEW + 2 * BLOCK + j] = z * length


@kernel
def shine(
    lanes: Float32[Array, "rows*block"],
    count: int,
    illumination: Float32[Array, "9 3"],
) -> None:
    """What a glossy surface reflects of all light (its broad lobe), into GLOSS.

    Fresnel's factor by Schlick's formula (1994); the light is the harmonics' in the mirror's
    direction, blurred.
    """
    for channel in range(3):
        w = illumination[:, channel]
        l0, l1, l2, l3, l4 = w[0], L1 * w[1], L1 * w[2], L1 * w[3], L2 * w[4]
        l5, l6, l7, l8 = L2 * w[5], L2 * w[6], L2 * w[7], L2 * w[8]
        row = GLOSS + channel * BLOCK
        for j in range(count):
            nx, ny, nz = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
            vx, vy, vz = lanes[VIEW + j], lanes[VIEW + BLOCK + j], lanes[VIEW + 2 * BLOCK + j]
            facing = nx * vx + ny * vy + nz * vz
            x, y, z = F(2) * facing * nx - vx, F(2) * facing * ny - vy, F(2) * facing * nz - vz
            linear = l0 + l1 * y + l2 * z + l3 * x
            cross = l4 * x * y + l5 * y * z + l7 * x * z
            square = l6 * (F(3) * z * z - ONE) + l8 * (x * x - y * y)
            rest = ONE - min(max(facing, ZERO), ONE)
            fresnel = LOW + HIGH * rest * rest * rest * rest * rest
            lanes[row + j] = fresnel * max(linear + cross + square, ZERO)


@kernel
def pick_finishes(
    lanes: Float32[Array, "rows*block"],
    chosen: UInt32[Array, "n"],
    finish: UInt8[Array, "F"],
    first: int,
    share: float,
) -> None:
    """The four weights of each pixel's finish, times a share, into rows from FINISH."""
    for j in range(len(chosen)):
        row = finish[chosen[j]] + first
        lanes[FINISH + j] = share * TABLE[row, 0]
        lanes[FINISH + BLOCK + j] = share * TABLE[row, 1]
        lanes[FINISH + 2 * BLOCK + j] = share * TABLE[row, 2]
        lanes[FINISH + 3 * BLOCK + j] = share * TABLE[row, 3]


@kernel
def highlight(lanes: Float32[Array, "rows*block"], count: int, key: Float32[Array, "2 3"]) -> None:
    """Weigh the broad lobe by each pixel's finish, and add what else is reflected.

    A share of the irradiance, every way alike; Blinn-Phong lobes (1977) of exponents 64 and 256
    about the key light, each of unit energy.
    """
    dx, dy, dz = key[0, 0], key[0, 1], key[0, 2]
    red, green, blue = key[1, 0], key[1, 1], key[1, 2]
    for j in range(count):
        nx, ny, nz = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
        hx, hy = dx + lanes[VIEW + j], dy + lanes[VIEW + BLOCK + j]
        hz = dz + lanes[VIEW + 2 * BLOCK + j]
        length = ONE / np.sqrt(max(hx * hx + hy * hy + hz * hz, TINY))
        x = max((nx * hx + ny * hy + nz * hz) * length, DULL)
        x *= x
        x *= x
        x *= x
        x *= x
        x *= x
        p64 = x * x
        p128 = p64 * p64
        lobes = lanes[FINISH + 2 * BLOCK + j] * G64 * p64
        lobes += lanes[FINISH + 3 * BLOCK + j] * G256 * p128 * p128
        sharp = max(nx * dx + ny * dy + nz * dz, ZERO) * LOW * lobes
        rough, broad = LOW * lanes[FINISH + j], lanes[FINISH + BLOCK + j]
        r, g, b = lanes[SHADING + j], lanes[SHADING + BLOCK + j], lanes[SHADING + 2 * BLOCK + j]
        r, g, b = rough * max(r, ZERO), rough * max(g, ZERO), rough * max(b, ZERO)
        lanes[GLOSS + j] = r + broad * lanes[GLOSS + j] + sharp * red
        lanes[GLOSS + BLOCK + j] = g + broad * lanes[GLOSS + BLOCK + j] + sharp * green
        lanes[GLOSS + 2 * BLOCK + j] = b + broad * lanes[GLOSS + 2 * BLOCK + j] + sharp * blue


@kernel
def gleam(
    lanes: Float32[Array, "rows*block"], count: int, key: Float32[Array, "2 3"], share: float
) -> None:
    """The highlights of hair across its strands, whose directions are in TANGENT, into GLOSS.

    Two lobes, of the light's and of the hair's colour (Kajiya and Kay 1989), times a share.
    """
    dx, dy, dz = key[0, 0], key[0, 1], key[0, 2]
    red, green, blue = key[1, 0], key[1, 1], key[1, 2]
    for j in range(count):
        tx, ty, tz = lanes[TANGENT + j], lanes[TANGENT + BLOCK + j], lanes[TANGENT + 2 * BLOCK + j]
        nx, ny, nz = lanes[NORMAL + j], lanes[NORMAL + BLOCK + j], lanes[NORMAL + 2 * BLOCK + j]
        hx, hy = dx + lanes[VIEW + j], dy + lanes[VIEW + BLOCK + j]
        hz = dz + lanes[VIEW + 2 * BLOCK + j]
        square = max((tx * tx + ty * ty + tz * tz) * (hx * hx + hy * hy + hz * hz), TINY)
        cosine = tx * hx + ty * hy + tz * hz
        x = max(ONE - cosine * cosine / square, FAR_OFF)
        x *= x
        x *= x
        broad = x * x
        sharp = broad * broad
        lit = share * max(nx * dx + ny * dy + nz * dz + WRAP, ZERO)
        first, second = lit * FIRST * sharp * sharp, lit * SECOND * broad
        lanes[GLOSS + j] = red * (first + second * lanes[VALUES + j])
        lanes[GLOSS + BLOCK + j] = green * (first + second * lanes[VALUES + BLOCK + j])
        lanes[GLOSS + 2 * BLOCK + j] = blue * (first + second * lanes[VALUES + 2 * BLOCK + j])


@kernel
def shine_less(lanes: Float32[Array, "rows*block"], left: int) -> None:
    """Highlights times the share of light that surroundings leave, in rows `left`."""
    shares = lanes[left : left + 3 * BLOCK]
    for j in range(3 * BLOCK):
        lanes[GLOSS + j] *= shares[j]


@kernel
def add_up(lanes: Float32[Array, "rows*block"]) -> None:
    """Radiance: linear albedo times shading plus highlights, into VALUES."""
    for j in range(3 * BLOCK):
        lanes[VALUES + j] = lanes[VALUES + j] * lanes[SHADING + j] + lanes[GLOSS + j]
