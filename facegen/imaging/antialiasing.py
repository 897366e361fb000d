"""Smooth edges: how much of a pixel a silhouette covers, found from the stairs that it makes.

Pixels are seen at their centres. Where neighbours show surfaces that do not touch, the border
between them is a stair; the line that made it goes through the middles of its steps, and so tells
how much of each pixel lies beyond it (after Reshetov 2009, Morphological antialiasing).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from facegen.files import Array
from facegen.rendering.cpu.memory import HALF, ONE, F, kernel

STEP = 12e-3
_FINER = 4


class Marks(NamedTuple):
    """Memory of one image: borders to the right of pixels and below them, and what to mix.

    Of each mixture the pixel, the one beyond the border, its share, and the change of light.
    """

    right: UInt8[Array, "S*S"]
    below: UInt8[Array, "S*S"]
    pixel: Int32[Array, "4*S*S"]
    beyond: Int32[Array, "4*S*S"]
    share: Float32[Array, "4*S*S"]
    change: Float32[Array, "4*S*S 3"]


def smooth_edges(
    radiance: Float32[Array, "N S S 3"],
    depth: Float32[Array, "N S S"],
    segmentation: UInt8[Array, "N S S"],
    step: float = STEP,
) -> None:
    """Mix the light of pixels beside silhouettes with that beyond, in place; others stay.

    radiance: linear light, what stands behind included; depth: mm, 0 where nothing is; step: the
    least leap in depth that parts two surfaces, as a share of the depth, and a quarter of that
    where their labels differ.
    """
    size = depth.shape[1]
    marks = Marks(
        right=np.empty(size * size, np.uint8),
        below=np.empty(size * size, np.uint8),
        pixel=np.empty(4 * size * size, np.int32),
        beyond=np.empty(4 * size * size, np.int32),
        share=np.empty(4 * size * size, F),
        change=np.empty((4 * size * size, 3), F),
    )
    smooth_all(radiance, depth, segmentation, F(step), marks)


@kernel
def smooth_all(
    radiance: Float32[Array, "N S S 3"],
    depth: Float32[Array, "N S S"],
    segmentation: UInt8[Array, "N S S"],
    step: float,
    marks: Marks,
) -> None:
    """Smooth the edges of every image."""
    size = depth.shape[1]
    for n in range(len(radiance)):
        far, labels = depth[n].reshape(-1), segmentation[n].reshape(-1)
        mark(far, labels, step, 1, marks.right)
        mark(far, labels, step, size, marks.below)
        for row in range(size):
            marks.right[(row + 1) * size - 1] = 0
        count = trace(marks.below, marks.right, (1, size), size, 0, marks)
        count = trace(marks.right, marks.below, (size, 1), size, count, marks)
        mix(radiance[n].reshape(size * size, 3), count, marks)


@kernel
def mark(
    depth: Float32[Array, "P"],
    labels: UInt8[Array, "P"],
    step: float,
    side: int,
    borders: UInt8[Array, "P"],
) -> None:
    """Flag each pixel whose surface does not touch that of the pixel `side` further on."""
    fine, last = step / F(_FINER), len(depth) - side
    here, there, label, other = depth[:last], depth[side:], labels[:last], labels[side:]
    for p in range(last):
        share = step if label[p] == other[p] else fine
        borders[p] = abs(here[p] - there[p]) > share * min(here[p], there[p])
    borders[last:] = 0


@kernel
def trace(
    borders: UInt8[Array, "P"],
    crossing: UInt8[Array, "P"],
    strides: tuple[int, int],
    size: int,
    count: int,
    marks: Marks,
) -> int:
    """Follow the runs of borders along one direction, and list what to mix.

    strides: from pixel to pixel along the run, and across the border; crossing: the borders at
    right angles; count: how many mixtures there are, of which it returns the new number.
    """
    along, across = strides
    for line in range(size - 1):
        place, end = 0, 0
        while place < size:
            start = line * across + place * along
            if borders[start] == 0:
                place += 1
                continue
            end = place + 1
            while end < size and borders[line * across + end * along]:
                end += 1
            length = end - place
            if place > 0:
                height = turn(crossing, start - along, strides, length)
                count = cut(start, along, height, length, strides, count, marks)
            if end < size:
                last = start + (length - 1) * along
                height = turn(crossing, last, strides, length)
                count = cut(last, -along, height, length, strides, count, marks)
            place = end
    return count


@kernel
def turn(crossing: UInt8[Array, "P"], at: int, strides: tuple[int, int], length: int) -> int:
    """Where the border turns at the end of a run: 1 back across it, -1 on across, else 0.

    Nowhere if it forks, or if the run that it turns into is longer: that one tells the line better.
    Of two runs of the same length the one along rows counts.
    """
    along, across = strides
    back, on = crossing[at], crossing[at + across]
    if back == on:
        return 0
    most = length if along < across else length - 1
    stride = -across if back else across
    place = at if back else at + across
    run = 0
    while run <= most and 0 <= place < len(crossing) and crossing[place]:
        run += 1
        place += stride
    if run > most:
        return 0
    return 1 if back else -1


@kernel
def cut(
    start: int,
    stride: int,
    height: int,
    length: int,
    strides: tuple[int, int],
    count: int,
    marks: Marks,
) -> int:
    """List the pixels that the line cuts from the end of a run, half a pixel high, to its middle.

    Their shares are areas under the line; the new number of mixtures is returned.
    """
    if height == 0:
        return count
    across, half = strides[1], HALF * F(length)
    for k in range((length + 1) // 2):
        low, high = F(k), min(F(k + 1), half)
        pixel = start + k * stride
        marks.pixel[count] = pixel if height > 0 else pixel + across
        marks.beyond[count] = pixel + across if height > 0 else pixel
        marks.share[count] = HALF * (high - low) * (ONE - HALF * (low + high) / half)
        count += 1
    return count


@kernel
def mix(light: Float32[Array, "P 3"], count: int, marks: Marks) -> None:
    """Mix the pixels listed, all from the light as it was."""
    for i in range(count):
        pixel, beyond, share = marks.pixel[i], marks.beyond[i], marks.share[i]
        for c in range(3):
            marks.change[i, c] = share * (light[beyond, c] - light[pixel, c])
    for i in range(count):
        for c in range(3):
            light[marks.pixel[i], c] += marks.change[i, c]
