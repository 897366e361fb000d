"""Which triangle of what a person wears is seen at which pixel, into the keys of the face's.

These triangles are larger than the face's, and those of hair have holes: each is drawn a row at a
time, as exactly as in `raster`.
"""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.models.attire import CLEAR, STRANDS
from facegen.rendering.cpu.memory import I64, ONE, U32, ZERO, F, kernel
from facegen.rendering.cpu.raster import REACH, key_of, twice_edge
from facegen.rendering.cpu.strands import noise

STRANDS_U8, CLEAR_U8 = np.uint8(STRANDS), np.uint8(CLEAR)


@kernel
def draw_worn(
    triangles: UInt32[Array, "T 3"],
    material: UInt8[Array, "T"],
    strand: Float32[Array, "P 3"],
    screen: Float32[Array, "3*P"],
    keys: Array,
    first: int,
) -> None:
    """Draw triangles from the snapped screen into the keys, numbered from first."""
    for t in range(len(triangles)):
        if material[t] != CLEAR_U8:
            draw_triangle(triangles[t], material[t], strand, screen, keys, first + t)


@kernel
def draw_triangle(
    corners: UInt32[Array, "3"],
    material: int,
    strand: Float32[Array, "P 3"],
    screen: Float32[Array, "3*P"],
    keys: Array,
    number: int,
) -> None:
    """Draw one triangle, a row of pixels at a time, from the first inside to the last."""
    size, a, b, c = len(keys), corners[0], corners[1], corners[2]
    if max(screen[a], screen[b], screen[c]) >= REACH:
        return
    x0, x1, x2 = I64(screen[a]), I64(screen[b]), I64(screen[c])
    y0, y1, y2 = I64(screen[a + 1]), I64(screen[b + 1]), I64(screen[c + 1])
    left, right = max(min(x0, x1, x2) + 255 >> 8, 0), min(max(x0, x1, x2) >> 8, size - 1)
    top, bottom = max(min(y0, y1, y2) + 255 >> 8, 0), min(max(y0, y1, y2) >> 8, size - 1)
    area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
    if area == 0 or left > right or top > bottom:
        return
    side, u, v = (1 if area > 0 else -1), left << 8, top << 8
    e0 = side * twice_edge(x1 - u, y1 - v, x2 - u, y2 - v)
    e1 = side * twice_edge(x2 - u, y2 - v, x0 - u, y0 - v)
    e2 = side * twice_edge(x0 - u, y0 - v, x1 - u, y1 - v)
    step = 512 * side
    falls = (step * (y2 - y1), step * (y0 - y2), step * (y1 - y0))
    planes = planes_of(corners, material, strand, screen, ONE / F(2 * abs(area)))
    for row in range(top, bottom + 1):
        draw_row(keys[row, left : right + 1], (e0, e1, e2), falls, planes, U32(number))
        e0 += step * (x2 - x1)
        e1 += step * (x0 - x2)
        e2 += step * (x1 - x0)


@kernel
def planes_of(
    corners: UInt32[Array, "3"],
    material: int,
    strand: Float32[Array, "P 3"],
    screen: Float32[Array, "3*P"],
    scale: float,
) -> tuple[float, ...]:
    """What edge functions are multiplied with: for 1 / distance, for s, and for opacity.

    What is no hair has an opacity above all noise.
    """
    a, b, c = corners[0], corners[1], corners[2]
    i, j, k = a // 3, b // 3, c // 3
    w0, w1, w2 = screen[a + 2] * scale, screen[b + 2] * scale, screen[c + 2] * scale
    if material != STRANDS_U8:
        solid = F(2) * scale
        return w0, w1, w2, ZERO, ZERO, ZERO, solid, solid, solid
    s0, s1, s2 = strand[i, 0] * scale, strand[j, 0] * scale, strand[k, 0] * scale
    o0, o1, o2 = strand[i, 2] * scale, strand[j, 2] * scale, strand[k, 2] * scale
    return w0, w1, w2, s0, s1, s2, o0, o1, o2


@kernel
def draw_row(
    line: Array,
    edges: tuple[int, int, int],
    falls: tuple[int, int, int],
    planes: tuple[float, ...],
    number: int,
) -> None:
    """Draw the pixels of a row that are inside: from edges at the first, that fall so a pixel."""
    start, stop = inside(edges[0], falls[0], 0, len(line))
    start, stop = inside(edges[1], falls[1], start, stop)
    start, stop = inside(edges[2], falls[2], start, stop)
    if start >= stop:
        return
    e0, e1, e2 = F(edges[0]), F(edges[1]), F(edges[2])
    d0, d1, d2 = F(falls[0]), F(falls[1]), F(falls[2])
    w0, w1, w2, s0, s1, s2, o0, o1, o2 = planes
    w, dw = e0 * w0 + e1 * w1 + e2 * w2, d0 * w0 + d1 * w1 + d2 * w2
    s, ds = e0 * s0 + e1 * s1 + e2 * s2, d0 * s0 + d1 * s1 + d2 * s2
    o, do = e0 * o0 + e1 * o1 + e2 * o2, d0 * o0 + d1 * o1 + d2 * o2
    for at in range(start, stop):
        key = key_of(w - F(at) * dw, number)
        if key > line[at]:
            opacity = o - F(at) * do
            if opacity > ONE or noise(s - F(at) * ds) < opacity:
                line[at] = key


@kernel
def inside(edge: int, fall: int, start: int, stop: int) -> tuple[int, int]:
    """Of the pixels from start to stop, those where edge - number * fall is above zero."""
    if start >= stop:
        return start, start
    first, last = edge - start * fall > 0, edge - (stop - 1) * fall > 0
    if first and last:
        return start, stop
    if not first and not last:
        return start, start
    # Division of floats is quicker, and at most one pixel off.
    turn = int(np.floor(edge / fall))
    if first:
        turn += 1 if edge - turn * fall > 0 else 0
        return start, turn
    turn += 1
    return turn + (0 if edge - turn * fall > 0 else 1), stop
