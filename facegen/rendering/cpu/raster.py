"""Which triangle is seen at which pixel: made for triangles of about a pixel.

A key per pixel holds the bits of 1 / distance above those of the triangle, so that a maximum is the
depth test, in any order. Triangles are queued by the size of their box in pixels, so that a block
of them runs through the same loops, and without branches. Corners lie on 1/256 pixel, where the
edge functions of small boxes are exact in float32; larger ones are drawn in int64.
"""

import numpy as np
from jaxtyping import Float32, UInt32

from facegen.files import Array
from facegen.rendering.contract import NEAR_MM
from facegen.rendering.cpu.lanes import UNUSED, W0, W1, W2, corners, edges, gather, gather_xy
from facegen.rendering.cpu.memory import (
    BLOCK,
    EMPTY,
    HALF,
    I64,
    IDS,
    LARGE,
    NOWHERE,
    ONE,
    PIXEL,
    STAMP,
    SUBPIXELS,
    U32,
    U64,
    ZERO,
    F,
    Mesh,
    Work,
    kernel,
)
from facegen.scene.cameras import LEAST_DISTORTION

NEAR, REACH, LEAST = F(NEAR_MM), F(2**23), F(LEAST_DISTORTION)
SPAN, STEEP = F((STAMP + 1) * 256), F(2**14)
E0, E1, E2, DX0, DX1, DX2, DY0, DY1, DY2, W, WX, WY, AT = range(UNUSED, UNUSED + 13 * BLOCK, BLOCK)


@kernel
def see(
    mesh: Mesh,
    points: Float32[Array, "3*V"],
    transform: Float32[Array, "4 4"],
    K: Float32[Array, "3 3"],
    k1: float,
    work: Work,
) -> None:
    """Fill the keys with what a camera and its lens see of points (3 V,) in mm."""
    size = len(work.keys)
    work.keys[:] = EMPTY
    project(points, transform, K, work.screen)
    if k1 != ZERO:
        distort(K, k1, work.screen)
    queue_all(mesh.triangles, work, size)
    draw_small(mesh.triangles, work, size)
    draw_large(mesh.triangles, work, size)


@kernel
def project(
    points: Float32[Array, "3*V"],
    transform: Float32[Array, "4 4"],
    K: Float32[Array, "3 3"],
    screen: Float32[Array, "3*V"],
) -> None:
    """Points (3 V,) onto the snapped screen (3 V,); x is REACH where one is not to be drawn."""
    f, cx, cy = K[0, 0] * SUBPIXELS, (K[0, 2] - HALF) * SUBPIXELS, (K[1, 2] - HALF) * SUBPIXELS
    m00, m01, m02, m03 = transform[0, 0], transform[0, 1], transform[0, 2], transform[0, 3]
    m10, m11, m12, m13 = transform[1, 0], transform[1, 1], transform[1, 2], transform[1, 3]
    m20, m21, m22, m23 = transform[2, 0], transform[2, 1], transform[2, 2], transform[2, 3]
    for vertex in range(len(points) // 3):
        at = 3 * vertex
        x, y, z = points[at], points[at + 1], points[at + 2]
        distance = -(m20 * x + m21 * y + m22 * z + m23)
        w = ONE / max(distance, NEAR)
        u = np.floor(cx + f * w * (m00 * x + m01 * y + m02 * z + m03) + HALF)
        v = np.floor(cy - f * w * (m10 * x + m11 * y + m12 * z + m13) + HALF)
        drawn = (distance >= NEAR) & (abs(u) < REACH) & (abs(v) < REACH)
        screen[at] = u if drawn else REACH
        screen[at + 1] = v
        screen[at + 2] = w


@kernel
def distort(K: Float32[Array, "3 3"], k1: float, screen: Float32[Array, "3*V"]) -> None:
    """Move points on the screen (3 V,) to where a lens of this radial distortion shows them."""
    f, cx, cy = K[0, 0] * SUBPIXELS, (K[0, 2] - HALF) * SUBPIXELS, (K[1, 2] - HALF) * SUBPIXELS
    scale = k1 / (f * f)
    for at in range(0, len(screen), 3):
        x, y = screen[at] - cx, screen[at + 1] - cy
        factor = max(ONE + scale * (x * x + y * y), LEAST)
        drawn = screen[at] < REACH
        screen[at] = np.floor(cx + x * factor + HALF) if drawn else REACH
        screen[at + 1] = np.floor(cy + y * factor + HALF)


@kernel
def queue_all(triangles: UInt32[Array, "3*F"], work: Work, size: int) -> None:
    """Queue triangles (3 F,) by the pixel centres in their boxes; many of a fine mesh have none."""
    counts, kinds, queues = work.counts, work.kinds, work.queues
    counts[:] = 0
    for start in range(0, len(triangles) // 3, BLOCK):
        count = min(BLOCK, len(triangles) // 3 - start)
        gather_xy(triangles, work.screen, start, count, work.lanes)
        classify(work.lanes, count, F(size - 1), kinds)
        for j in range(count):
            kind = kinds[j]
            at = counts[kind]
            queues[kind, at] = start + j
            counts[kind] = at + U32(1)


@kernel
def classify(
    lanes: Float32[Array, "rows*block"], count: int, last: float, kinds: UInt32[Array, "block"]
) -> None:
    """Each triangle's queue: STAMP (height - 1) + width - 1 of its box, LARGE or NOWHERE."""
    for j in range(count):
        x0, x1, x2, y0, y1, y2 = corners(lanes, j, ZERO, ZERO)
        right, bottom = max(x0, x1, x2), max(y0, y1, y2)
        width = min(np.floor(right * PIXEL), last) - first(x0, x1, x2)
        height = min(np.floor(bottom * PIXEL), last) - first(y0, y1, y2)
        span = max(right - min(x0, x1, x2), bottom - min(y0, y1, y2))
        fits = (max(width, height) < F(STAMP)) & (span < SPAN)
        kind = F(STAMP) * height + width if fits else F(LARGE)
        somewhere = (min(width, height) >= ZERO) & (right < REACH)
        kinds[j] = np.int32(kind if somewhere else F(NOWHERE))


@kernel
def first(a: float, b: float, c: float) -> float:
    """The first pixel, its centre at or after the least of three coordinates in 1/256 pixel."""
    return max(np.ceil(min(a, b, c) * PIXEL), ZERO)


@kernel
def draw_small(triangles: UInt32[Array, "3*F"], work: Work, size: int) -> None:
    """Draw the queues of small boxes: all boxes of a block a pixel at a time."""
    lanes, keys = work.lanes, work.keys.reshape(-1)
    for kind in range(LARGE):
        queue = work.queues[kind, : work.counts[kind]]
        for start in range(0, len(queue), BLOCK):
            chosen = queue[start : start + BLOCK]
            gather(triangles, work.screen, chosen, lanes)
            set_up(lanes, len(chosen), F(size))
            for down in range(kind // STAMP + 1):
                for right in range(kind % STAMP + 1):
                    sample(lanes, len(chosen), F(right), F(down))
                    offset = U32(down * size + right)
                    for j in range(len(chosen)):
                        at = U32(np.int32(lanes[AT + j])) + offset
                        keys[at] = max(keys[at], key_of(lanes[W0 + j], chosen[j]))


@kernel
def set_up(lanes: Float32[Array, "rows*block"], count: int, size: float) -> None:
    """Edge functions and 1 / distance at the box's first pixel, and their steps right and down."""
    for j in range(count):
        x0, x1, x2, y0, y1, y2 = corners(lanes, j, ZERO, ZERO)
        left, top = first(x0, x1, x2), first(y0, y1, y2)
        lanes[AT + j] = top * size + left
        x0, x1, x2, y0, y1, y2 = corners(lanes, j, left * SUBPIXELS, top * SUBPIXELS)
        e0, e1, e2 = edges(x0, x1, x2, y0, y1, y2)
        dx0, dx1, dx2, dy0, dy1, dy2 = x2 - x1, x0 - x2, x1 - x0, y2 - y1, y0 - y2, y1 - y0
        area = e0 + e1 + e2
        w0, w1, w2 = lanes[W0 + j] / area, lanes[W1 + j] / area, lanes[W2 + j] / area
        lanes[W + j] = e0 * w0 + e1 * w1 + e2 * w2
        lanes[WX + j] = -SUBPIXELS * (dy0 * w0 + dy1 * w1 + dy2 * w2)
        lanes[WY + j] = SUBPIXELS * (dx0 * w0 + dx1 * w1 + dx2 * w2)
        side = ONE if area > ZERO else (-ONE if area < ZERO else ZERO)
        lanes[E0 + j] = side * (e0 + tie(dx0, dy0))
        lanes[E1 + j] = side * (e1 + tie(dx1, dy1))
        lanes[E2 + j] = side * (e2 + tie(dx2, dy2))
        side *= SUBPIXELS
        lanes[DX0 + j], lanes[DX1 + j], lanes[DX2 + j] = side * dx0, side * dx1, side * dx2
        lanes[DY0 + j], lanes[DY1 + j], lanes[DY2 + j] = side * dy0, side * dy1, side * dy2


@kernel
def tie(dx: float, dy: float) -> float:
    """Whose a pixel centre on an edge is: opposite for the triangle on the edge's other side."""
    return HALF if dx >= dy * STEEP else -HALF


@kernel
def sample(lanes: Float32[Array, "rows*block"], count: int, right: float, down: float) -> None:
    """1 / distance so many pixels from the box's first one, into W0; zero outside the triangle."""
    for j in range(count):
        e0 = lanes[E0 + j] + down * lanes[DX0 + j] - right * lanes[DY0 + j]
        e1 = lanes[E1 + j] + down * lanes[DX1 + j] - right * lanes[DY1 + j]
        e2 = lanes[E2 + j] + down * lanes[DX2 + j] - right * lanes[DY2 + j]
        w = lanes[W + j] + down * lanes[WY + j] + right * lanes[WX + j]
        lanes[W0 + j] = w if min(e0, e1, e2) > ZERO else ZERO


@kernel
def key_of(w: float, triangle: int) -> int:
    """The nearest triangle has the largest key, and of two as near the one drawn first."""
    return (U64(F(w).view(np.uint32)) << U64(32)) | U64(IDS - U32(triangle))


@kernel
def draw_large(triangles: UInt32[Array, "3*F"], work: Work, size: int) -> None:
    """Draw the queue of larger boxes, each a pixel at a time."""
    screen, keys = work.screen, work.keys
    for t in work.queues[LARGE, : work.counts[LARGE]]:
        a, b, c = triangles[3 * t], triangles[3 * t + 1], triangles[3 * t + 2]
        x0, x1, x2 = I64(screen[a]), I64(screen[b]), I64(screen[c])
        y0, y1, y2 = I64(screen[a + 1]), I64(screen[b + 1]), I64(screen[c + 1])
        area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
        if area == 0:
            continue
        side, scale = (1 if area > 0 else -1), ONE / F(2 * abs(area))
        step = 512 * side
        w0, w1, w2 = screen[a + 2] * scale, screen[b + 2] * scale, screen[c + 2] * scale
        left, right = max(min(x0, x1, x2) + 255 >> 8, 0), min(max(x0, x1, x2) >> 8, size - 1)
        top, bottom = max(min(y0, y1, y2) + 255 >> 8, 0), min(max(y0, y1, y2) >> 8, size - 1)
        for row in range(top, bottom + 1):
            u, v = left << 8, row << 8
            e0 = side * twice_edge(x1 - u, y1 - v, x2 - u, y2 - v)
            e1 = side * twice_edge(x2 - u, y2 - v, x0 - u, y0 - v)
            e2 = side * twice_edge(x0 - u, y0 - v, x1 - u, y1 - v)
            for column in range(left, right + 1):
                if min(e0, e1, e2) > 0:
                    w = F(e0) * w0 + F(e1) * w1 + F(e2) * w2
                    keys[row, column] = max(keys[row, column], key_of(w, t))
                e0 -= step * (y2 - y1)
                e1 -= step * (y0 - y2)
                e2 -= step * (y1 - y0)


@kernel
def twice_edge(ax: int, ay: int, bx: int, by: int) -> int:
    """Twice the edge function of a to b at the origin, with its tie settled as in `tie`."""
    dx, dy = bx - ax, by - ay
    return 2 * (ax * by - ay * bx) + (1 if dy < 0 or (dy == 0 and dx >= 0) else -1)
