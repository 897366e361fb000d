"""Smooth edges: how much of a pixel a silhouette covers, found from the stairs that it makes.

Pixels are seen at their centres. Where neighbours show surfaces that do not touch, the border
between them is a stair; the line that made it goes through the middles of its steps, and so tells
how much of each pixel lies beyond it (after Reshetov 2009, Morphological antialiasing).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from facegen.files import Array
from facegen.models.morphable_model import SEGMENTS
from facegen.rendering.cpu.memory import HALF, I64, ONE, F, kernel

STEP = 12e-3
WORN = np.uint8(len(SEGMENTS))
_FINER = 12


class Marks(NamedTuple):
    """Memory of one image; P is S x S, made a multiple of 8.

    right and below: whether a border lies to the right of pixels, and below them; wedges: where the
    line leaves a border, as `follow` lists them; pixel and change: what their light changes by.
    """

    right: UInt8[Array, "P"]
    below: UInt8[Array, "P"]
    wedges: Int32[Array, "4*S*S 4"]
    pixel: Int32[Array, "4*S*S"]
    change: Float32[Array, "4*S*S 3"]


def smooth_edges(
    radiance: Float32[Array, "N S S 3"],
    depth: Float32[Array, "N S S"],
    segmentation: UInt8[Array, "N S S"],
    step: float = STEP,
) -> None:
    """Mix the light of pixels beside silhouettes with that beyond, in place; others stay.

    radiance: linear light, what stands behind included; depth: mm, 0 where nothing is; step: the
    least leap in depth that parts two surfaces, as a share of the depth, and a twelfth of that
    where their labels differ.
    """
    size = depth.shape[1]
    marks = Marks(
        right=np.zeros(-(-size * size // 8) * 8, np.uint8),
        below=np.zeros(-(-size * size // 8) * 8, np.uint8),
        wedges=np.empty((4 * size * size, 4), np.int32),
        pixel=np.empty(4 * size * size, np.int32),
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
    size, along = depth.shape[1], I64(1)
    for n in range(len(radiance)):
        far, labels = depth[n].reshape(-1), segmentation[n].reshape(-1)
        mark(far, labels, step, along, marks.right)
        mark(far, labels, step, size, marks.below)
        for row in range(size):
            marks.right[(row + 1) * size - 1] = 0
        count = trace(marks.below, marks.right, (along, size), size, I64(0), marks.wedges)
        count = trace(marks.right, marks.below, (size, along), size, count, marks.wedges)
        light = radiance[n].reshape(-1)
        mix(light, find_changes(light, marks.wedges[:count], marks.pixel, marks.change), marks)


@kernel
def mark(
    depth: Float32[Array, "P"],
    labels: UInt8[Array, "P"],
    step: float,
    side: int,
    borders: UInt8[Array, "P"],
) -> None:
    """Flag each pixel whose surface does not touch that of the pixel `side` further on.

    What is worn ends where its label does, even where it lies on skin.
    """
    fine, last = step / F(_FINER), len(depth) - side
    here, there, label, other = depth[:last], depth[side:], labels[:last], labels[side:]
    for p in range(last):
        share = step if label[p] == other[p] else fine
        apart = abs(here[p] - there[p]) > share * min(here[p], there[p])
        hem = (label[p] != other[p]) & (max(label[p], other[p]) >= WORN)
        borders[p] = apart | hem
    borders[last : len(depth)] = 0


@kernel
def trace(
    borders: UInt8[Array, "P"],
    crossing: UInt8[Array, "P"],
    strides: tuple[int, int],
    size: int,
    count: int,
    wedges: Int32[Array, "n 4"],
) -> int:
    """Follow the runs of borders along one direction.

    strides: from pixel to pixel along the run, and across the border; crossing: the borders at
    right angles; count: how many wedges there are, of which it returns the new number.
    """
    words, along = borders.view(np.uint64), strides[0]
    for word in range(len(words)):
        if words[word] == 0:
            continue
        for start in range(8 * word, 8 * word + 8):
            if borders[start] == 0:
                continue
            place = start // along % size
            if place == 0 or borders[start - along] == 0:
                length = 1
                while place + length < size and borders[start + length * along]:
                    length += 1
                ends = (place > 0, place + length < size)
                count = follow(crossing, start, length, ends, strides, count, wedges)
    return count


@kernel
def follow(
    crossing: UInt8[Array, "P"],
    start: int,
    length: int,
    ends: tuple[bool, bool],
    strides: tuple[int, int],
    count: int,
    wedges: Int32[Array, "n 4"],
) -> int:
    """List the wedges of a run: from each end to the middle, the line leaves the border there.

    Of each wedge the first pixel that the line cuts, the stride to the next, that to the pixel
    beyond the border, and the run's length; ends: whether the run ends before the image does.
    """
    along, across = strides
    for end in range(2):
        if not ends[end]:
            continue
        pixel = start if end == 0 else start + (length - 1) * along
        height = turn(crossing, pixel - (along if end == 0 else 0), strides, length)
        if height != 0:
            wedges[count, 0] = pixel if height > 0 else pixel + across
            wedges[count, 1] = along if end == 0 else -along
            wedges[count, 2] = across if height > 0 else -across
            wedges[count, 3] = length
            count += 1
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
def find_changes(
    light: Float32[Array, "3*P"],
    wedges: Int32[Array, "w 4"],
    pixels: Int32[Array, "n"],
    change: Float32[Array, "n 3"],
) -> int:
    """What the light of cut pixels changes by, all from the light as it was; how many there are.

    A wedge is half a pixel high at the run's end and ends at its middle: a pixel's share of what is
    beyond is the area of the wedge in it.
    """
    count = 0
    for w in range(len(wedges)):
        pixel, length = wedges[w, 0], wedges[w, 3]
        half = HALF * F(length)
        for k in range((length + 1) // 2):
            low, high = F(k), min(F(k + 1), half)
            share = HALF * (high - low) * (ONE - HALF * (low + high) / half)
            beyond = pixel + wedges[w, 2]
            for c in range(3):
                change[count, c] = share * (light[3 * beyond + c] - light[3 * pixel + c])
            pixels[count] = pixel
            pixel += wedges[w, 1]
            count += 1
    return count


@kernel
def mix(light: Float32[Array, "3*P"], count: int, marks: Marks) -> None:
    """Change the light of the pixels listed."""
    for i in range(count):
        for c in range(3):
            light[3 * marks.pixel[i] + c] += marks.change[i, c]
