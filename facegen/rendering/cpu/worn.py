"""Which triangle of what a person wears is seen at which pixel, into the keys of the face's.

These triangles are larger than the face's, and those of hair have holes: each is drawn a row at a
time, as exactly as in `raster`.
"""

import numpy as np
from jaxtyping import Float32, UInt8, UInt32

from facegen.files import Array
from facegen.models.attire import CLEAR, STRANDS
from facegen.rendering.cpu.memory import I64, ONE, U32, F, kernel
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
    side, scale = (1 if area > 0 else -1), ONE / F(2 * abs(area))
    u, v, step = left << 8, top << 8, 512 * side
    e0 = side * twice_edge(x1 - u, y1 - v, x2 - u, y2 - v)
    e1 = side * twice_edge(x2 - u, y2 - v, x0 - u, y0 - v)
    e2 = side * twice_edge(x0 - u, y0 - v, x1 - u, y1 - v)
    d0, d1, d2 = step * (y2 - y1), step * (y0 - y2), step * (y1 - y0)
    w0, w1, w2 = screen[a + 2] * scale, screen[b + 2] * scale, screen[c + 2] * scale
    dw = F(d0) * w0 + F(d1) * w1 + F(d2) * w2
    i, j, k = a // 3, b // 3, c // 3
    s0, s1, s2 = strand[i, 0] * scale, strand[j, 0] * scale, strand[k, 0] * scale
    o0, o1, o2 = strand[i, 2] * scale, strand[j, 2] * scale, strand[k, 2] * scale
    ds = F(d0) * s0 + F(d1) * s1 + F(d2) * s2
    do = F(d0) * o0 + F(d1) * o1 + F(d2) * o2
    thin = material == STRANDS_U8
    for row in range(top, bottom + 1):
        start, stop = inside(e0, d0, 0, right - left + 1)
        start, stop = inside(e1, d1, start, stop)
        start, stop = inside(e2, d2, start, stop)
        if start < stop:
            f0, f1, f2 = F(e0), F(e1), F(e2)
            w = f0 * w0 + f1 * w1 + f2 * w2
            s, o = f0 * s0 + f1 * s1 + f2 * s2, f0 * o0 + f1 * o1 + f2 * o2
            line = keys[row, left:]
            for at in range(start, stop):
                key = key_of(w - F(at) * dw, U32(number))
                if key > line[at] and (not thin or noise(s - F(at) * ds) < o - F(at) * do):
                    line[at] = key
        e0 += step * (x2 - x1)
        e1 += step * (x0 - x2)
        e2 += step * (x1 - x0)


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
