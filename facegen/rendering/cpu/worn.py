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
    """Draw one triangle, a pixel at a time."""
    size, (a, b, c) = len(keys), (corners[0], corners[1], corners[2])
    if max(screen[a], screen[b], screen[c]) >= REACH:
        return
    x0, x1, x2 = I64(screen[a]), I64(screen[b]), I64(screen[c])
    y0, y1, y2 = I64(screen[a + 1]), I64(screen[b + 1]), I64(screen[c + 1])
    area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
    left, right = max(min(x0, x1, x2) + 255 >> 8, 0), min(max(x0, x1, x2) >> 8, size - 1)
    top, bottom = max(min(y0, y1, y2) + 255 >> 8, 0), min(max(y0, y1, y2) >> 8, size - 1)
    if area == 0 or left > right or top > bottom:
        return
    side, scale = (1 if area > 0 else -1), ONE / F(2 * abs(area))
    step = 512 * side
    w0, w1, w2 = screen[a + 2] * scale, screen[b + 2] * scale, screen[c + 2] * scale
    thin = material == STRANDS_U8
    i, j, k = a // 3, b // 3, c // 3
    s0, s1, s2 = strand[i, 0] * scale, strand[j, 0] * scale, strand[k, 0] * scale
    o0, o1, o2 = strand[i, 2] * scale, strand[j, 2] * scale, strand[k, 2] * scale
    for row in range(top, bottom + 1):
        u, v = left << 8, row << 8
        e0 = side * twice_edge(x1 - u, y1 - v, x2 - u, y2 - v)
        e1 = side * twice_edge(x2 - u, y2 - v, x0 - u, y0 - v)
        e2 = side * twice_edge(x0 - u, y0 - v, x1 - u, y1 - v)
        for column in range(left, right + 1):
            if min(e0, e1, e2) > 0:
                f0, f1, f2 = F(e0), F(e1), F(e2)
                key = key_of(f0 * w0 + f1 * w1 + f2 * w2, U32(number))
                if key > keys[row, column]:
                    opacity = f0 * o0 + f1 * o1 + f2 * o2
                    if not thin or noise(f0 * s0 + f1 * s1 + f2 * s2) < opacity:
                        keys[row, column] = key
            e0 -= step * (y2 - y1)
            e1 -= step * (y0 - y2)
            e2 -= step * (y1 - y0)
