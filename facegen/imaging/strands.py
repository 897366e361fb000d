"""Hair, beards and frames as cameras show them: what is finer than a pixel blends with the rest.

Renderers see each pixel at its centre, where a strand or the rim of glasses is or is not. Around
them light is blurred by a 3 x 3 binomial, which is about what a pixel's area and a lens do.
"""

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.models.attire import ATTIRE_SEGMENTS
from facegen.models.morphable_model import SEGMENTS
from facegen.rendering.cpu.memory import HALF, ONE, ZERO, F, kernel

FINE = ("hair", "beard", "glasses")
HAIR, BEARD, GLASSES = (np.uint8(len(SEGMENTS) + ATTIRE_SEGMENTS.index(name)) for name in FINE)
QUARTER, TWO = F(0.25), F(2)


def soften_strands(
    radiance: Float32[Array, "N S S 3"], segmentation: UInt8[Array, "N S S"]
) -> None:
    """Blend the light of hair, beards and glasses, and of what borders on them, in place."""
    size = segmentation.shape[1]
    soften_all(radiance, segmentation, np.empty((4, 3 * size + 6), F), np.empty((4, size + 2), F))


@kernel
def soften_all(
    radiance: Float32[Array, "N S S 3"],
    segmentation: UInt8[Array, "N S S"],
    light: Float32[Array, "4 3*S+6"],
    share: Float32[Array, "4 S+2"],
) -> None:
    """Every image, a row at a time; light and share: three rows as they were, and one of work."""
    size = segmentation.shape[1]
    for n in range(len(radiance)):
        found = keep(radiance[n, 0], segmentation[n, 0], light[0], share[0])
        before, here = found, found
        light[2], share[2] = light[0], share[0]
        for row in range(size):
            below = min(row + 1, size - 1)
            to = (row + 1) % 3
            after = keep(radiance[n, below], segmentation[n, below], light[to], share[to])
            if before or here or after:
                soften_row(light, share, row, radiance[n, row].reshape(-1))
            before, here = here, after


@kernel
def keep(
    row: Float32[Array, "S 3"],
    labels: UInt8[Array, "S"],
    light: Float32[Array, "3*S+6"],
    share: Float32[Array, "S+2"],
) -> bool:
    """Copy a row, its first and last pixel repeated, and flag strands; whether there are any."""
    size, flat, found = len(labels), row.reshape(-1), ZERO
    inner, flags = light[3 : 3 * size + 3], share[1 : size + 1]
    for i in range(3 * size):
        inner[i] = flat[i]
    for x in range(size):
        strand = (labels[x] == HAIR) | (labels[x] == BEARD) | (labels[x] == GLASSES)
        flags[x] = ONE if strand else ZERO
        found = max(found, flags[x])
    light[:3], light[3 * size + 3 :] = light[3:6], light[3 * size : 3 * size + 3]
    share[0], share[size + 1] = share[1], share[size]
    return bool(found > ZERO)


@kernel
def soften_row(
    light: Float32[Array, "4 3*S+6"],
    share: Float32[Array, "4 S+2"],
    row: int,
    out: Float32[Array, "3*S"],
) -> None:
    """Blend a row with its blur, the more strands there are around each pixel."""
    here, before, after = row % 3, (row + 2) % 3, (row + 1) % 3
    down, flags = light[3], share[3]
    blend(light[before], light[here], light[after], down)
    blend(share[before], share[here], share[after], flags)
    for x in range(len(out) // 3):
        strands = min(TWO * across(flags[x], flags[x + 1], flags[x + 2]), ONE)
        for c in range(3):
            at = 3 * x + c
            blurred = across(down[at], down[at + 3], down[at + 6])
            out[at] += strands * (blurred - out[at])


@kernel
def blend(
    above: Float32[Array, "n"],
    here: Float32[Array, "n"],
    below: Float32[Array, "n"],
    out: Float32[Array, "n"],
) -> None:
    """A quarter, a half and a quarter of three rows."""
    for i in range(len(out)):
        out[i] = across(above[i], here[i], below[i])


@kernel
def across(left: float, here: float, right: float) -> float:
    """A quarter, a half and a quarter."""
    return QUARTER * (left + right) + HALF * here
