"""Triangles of any size, cut into rows and pixels, of which a block is worked on at once.

Edges are odd whole numbers below 2^53, which float64 holds exactly: no pixel is on one, and each
belongs to one triangle.
"""

import numpy as np
from jaxtyping import Float32, Float64, UInt32, UInt64

from facegen.files import Array
from facegen.rendering.cpu.lanes import UNUSED, W0, X0, X1, X2, Y0, Y1, Y2
from facegen.rendering.cpu.memory import (
    BLOCK,
    F64,
    I32,
    ONE,
    PIXEL,
    ROOM,
    U32,
    ZERO,
    F,
    Spans,
    kernel,
)
from facegen.rendering.cpu.raster import key_of
from facegen.rendering.cpu.strands import noise

# Rows of lanes for a block of triangles: s and opacity at the corners, the box, and 1 / distance, s
# and opacity at its first pixel, and how they fall a column and rise a row.
S0, S1, S2, O0, O1, O2, LEFT, TOP, WIDTH, HEIGHT = range(UNUSED, UNUSED + 10 * BLOCK, BLOCK)
NEAR, ALONG, OPACITY = range(HEIGHT + BLOCK, HEIGHT + 10 * BLOCK, 3 * BLOCK)
FALL, RISE, HAIR = BLOCK, 2 * BLOCK, OPACITY + 3 * BLOCK
# Rows of exact: edge functions at the box's first pixel, how they fall and rise, and 1 / |fall|.
EDGE, FALLS, RISES, PER = range(0, 12 * BLOCK, 3 * BLOCK)
TWO, NONE = F64(2), F64(0)


@kernel
def ends(a: float, b: float, c: float, last: float) -> tuple[float, float]:
    """The first and the last row or column whose pixels' centres may be inside a triangle."""
    return max(np.ceil(min(a, b, c) * PIXEL), ZERO), min(np.floor(max(a, b, c) * PIXEL), last)


@kernel
def set_up(lanes: Float32[Array, "rows*block"], spans: Spans, count: int, size: int) -> None:
    """Boxes, edges and planes of the triangles whose corners, s and opacity are in lanes."""
    exact, last = spans.exact, F(size - 1)
    for j in range(count):
        x0, x1, x2 = lanes[X0 + j], lanes[X1 + j], lanes[X2 + j]
        y0, y1, y2 = lanes[Y0 + j], lanes[Y1 + j], lanes[Y2 + j]
        left, right = ends(x0, x1, x2, last)
        top, bottom = ends(y0, y1, y2, last)
        lanes[LEFT + j], lanes[TOP + j] = left, top
        lanes[WIDTH + j], lanes[HEIGHT + j] = right - left + ONE, bottom - top + ONE
        u, v = F64(left) * F64(256), F64(top) * F64(256)
        ax, bx, cx = F64(x0) - u, F64(x1) - u, F64(x2) - u
        ay, by, cy = F64(y0) - v, F64(y1) - v, F64(y2) - v
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        side = F64(1) if area > NONE else F64(-1)
        set_edge(exact, j, bx, by, cx, cy, side)
        set_edge(exact, j + BLOCK, cx, cy, ax, ay, side)
        set_edge(exact, j + 2 * BLOCK, ax, ay, bx, by, side)
        scale = ONE / F(max(TWO * abs(area), F64(1)))
        lanes[WIDTH + j] = ZERO if area == NONE else lanes[WIDTH + j]
        set_plane(lanes, exact, j, W0, NEAR, scale)
        set_plane(lanes, exact, j, S0, ALONG, scale)
        set_plane(lanes, exact, j, O0, OPACITY, scale)


@kernel
def set_edge(
    exact: Float64[Array, "12*block"],
    j: int,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    side: float,
) -> None:
    """An edge function, twice and one more or less, so that pixels on edges are settled."""
    dx, dy = bx - ax, by - ay
    tie = F64(1) if (dy < NONE) | ((dy == NONE) & (dx >= NONE)) else F64(-1)
    fall = F64(512) * side * dy
    exact[EDGE + j] = side * (TWO * (ax * by - ay * bx) + tie)
    exact[FALLS + j], exact[RISES + j] = fall, F64(512) * side * dx
    exact[PER + j] = F64(1) / abs(fall)


@kernel
def set_plane(
    lanes: Float32[Array, "rows*block"],
    exact: Float64[Array, "12*block"],
    j: int,
    corners: int,
    to: int,
    scale: float,
) -> None:
    """What a value at the corners is at the box's first pixel, its fall and its rise."""
    a, b, c = lanes[corners + j], lanes[corners + BLOCK + j], lanes[corners + 2 * BLOCK + j]
    a, b, c = a * scale, b * scale, c * scale
    lanes[to + j] = blend(exact, EDGE + j, a, b, c)
    lanes[to + FALL + j] = blend(exact, FALLS + j, a, b, c)
    lanes[to + RISE + j] = blend(exact, RISES + j, a, b, c)


@kernel
def blend(exact: Float64[Array, "12*block"], at: int, a: float, b: float, c: float) -> float:
    """Three edge functions times the numbers of their corners."""
    return F(exact[at]) * a + F(exact[at + BLOCK]) * b + F(exact[at + 2 * BLOCK]) * c


@kernel
def draw_block(
    lanes: Float32[Array, "rows*block"],
    numbers: UInt32[Array, "n"],
    spans: Spans,
    keys: UInt64[Array, "S S"],
) -> None:
    """Draw the triangles set up, of these numbers."""
    rows = queued = 0
    for j in range(len(numbers)):
        for row in range(int(lanes[HEIGHT + j]) if lanes[WIDTH + j] > ZERO else 0):
            spans.row_slot[rows], spans.row[rows] = j, row
            rows += 1
            if rows == BLOCK:
                queued = draw_rows(lanes, rows, numbers, spans, keys, queued)
                rows = 0
    queued = draw_rows(lanes, rows, numbers, spans, keys, queued)
    draw_pixels(lanes, queued, numbers, spans, keys)


@kernel
def draw_rows(
    lanes: Float32[Array, "rows*block"],
    rows: int,
    numbers: UInt32[Array, "n"],
    spans: Spans,
    keys: UInt64[Array, "S S"],
    queued: int,
) -> int:
    """Draw rows, and queue those of hair, which is drawn when it is full; how many are then."""
    cut_rows(lanes, spans, rows)
    slots, places, start, stop = spans.slot, spans.place, spans.start, spans.stop
    flat, size = keys.reshape(-1), len(keys)
    for i in range(rows):
        first, until = int(start[i]), int(stop[i])
        if first >= until:
            continue
        slot, row = spans.row_slot[i], I32(spans.row[i])
        if lanes[HAIR + slot] == ZERO:
            at = (I32(lanes[TOP + slot]) + row) * size + I32(lanes[LEFT + slot])
            near, fall = plane(lanes, NEAR + slot, ZERO, spans.row[i]), lanes[NEAR + FALL + slot]
            draw_solid(flat[at + first : at + until], F(first), near, fall, numbers[slot])
            continue
        if queued + until - first > ROOM:
            draw_pixels(lanes, queued, numbers, spans, keys)
            queued = 0
        place = U32(row) << U32(16)
        for column in range(first, until):
            slots[queued], places[queued] = slot, place | U32(column)
            queued += 1
    return queued


@kernel
def draw_solid(
    line: UInt64[Array, "n"], first: float, near: float, fall: float, number: int
) -> None:
    """Draw the pixels of a row, the first of which is so many right of the box's first."""
    for i in range(len(line)):
        line[i] = max(line[i], key_of(near - (first + F(I32(i))) * fall, number))


@kernel
def cut_rows(lanes: Float32[Array, "rows*block"], spans: Spans, rows: int) -> None:
    """The first pixel of each row that is inside, and the one after the last."""
    exact, slots, numbers = spans.exact, spans.row_slot, spans.row
    for i in range(rows):
        slot, row = slots[i], F64(numbers[i])
        start, stop = NONE, F64(lanes[WIDTH + slot])
        for edge in (0, BLOCK, 2 * BLOCK):
            at = slot + U32(edge)
            place = (exact[EDGE + at] + row * exact[RISES + at]) * exact[PER + at]
            right = exact[FALLS + at] >= NONE
            stop = min(stop, np.ceil(place) if right else stop)
            start = max(start, start if right else np.floor(-place) + F64(1))
        spans.start[i], spans.stop[i] = F(start), F(max(stop, NONE))


@kernel
def draw_pixels(
    lanes: Float32[Array, "rows*block"],
    queued: int,
    numbers: UInt32[Array, "n"],
    spans: Spans,
    keys: UInt64[Array, "S S"],
) -> None:
    """Draw the queued pixels, where noise along s is below the opacity."""
    slots, places, near, flat = spans.slot, spans.place, spans.near, keys.reshape(-1)
    along, opacity = spans.along, spans.opacity
    for i in range(queued):
        slot = slots[i]
        right, down = F(I32(places[i] & U32(0xFFFF))), F(I32(places[i] >> U32(16)))
        near[i] = plane(lanes, NEAR + slot, right, down)
        along[i] = plane(lanes, ALONG + slot, right, down)
        opacity[i] = plane(lanes, OPACITY + slot, right, down)
    for i in range(queued):
        near[i] = near[i] if noise(along[i]) < opacity[i] else ZERO
    for i in range(queued):
        slot = slots[i]
        row = I32(lanes[TOP + slot]) + I32(places[i] >> U32(16))
        at = row * len(keys) + I32(lanes[LEFT + slot]) + I32(places[i] & U32(0xFFFF))
        flat[at] = max(flat[at], key_of(near[i], numbers[slot]))


@kernel
def plane(lanes: Float32[Array, "rows*block"], at: int, right: float, down: float) -> float:
    """A triangle's value so many pixels right and down of its box's first one."""
    return lanes[at] - right * lanes[at + U32(FALL)] + down * lanes[at + U32(RISE)]
