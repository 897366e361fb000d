"""Kernels that paint what stands behind heads in photographs, as linear light out of focus."""

from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.rendering.cpu.compiling import compiled
from facegen.sampling.scenery import SHAPES, VIEW

kernel = compiled(error_model="numpy", fastmath={"contract", "nsz", "arcp"})
F = np.float32
ONE, HALF, ZERO = F(1), F(0.5), F(0)
TAU = F(2 * np.pi)
SHAPE_DRAWS, MOST_SHAPES = 12, 8


@kernel
def paint_environment(
    panorama: Float32[Array, "H W 3"],
    turn: float,
    draws: Float32[Array, "D"],
    out: Float32[Array, "G G 3"],
) -> None:
    """A view into a place; turn: of the place about the vertical, as a share of a whole turn."""
    height, width = panorama.shape[:2]
    size = len(out)
    reach = F(0.12) + F(0.5) * draws[VIEW]
    tilt = F(0.5) * (draws[VIEW + 1] - HALF)
    for row in range(size):
        y = reach * (ONE - F(2) * (F(row) + HALF) / F(size)) + tilt
        for column in range(size):
            x = reach * (F(2) * (F(column) + HALF) / F(size) - ONE)
            longitude = HALF + x / TAU - turn
            longitude -= np.floor(longitude)
            latitude = HALF - F(2) * y / TAU
            look_up(
                panorama, longitude * F(width) - HALF, latitude * F(height) - HALF, out[row, column]
            )


@kernel
def look_up(
    panorama: Float32[Array, "H W 3"], u: float, v: float, out: Float32[Array, "3"]
) -> None:
    """A panorama between its pixels: round at the sides, held at the poles."""
    height, width = panorama.shape[:2]
    column, row = int(np.floor(u)), int(np.floor(v))
    s, t = u - F(column), v - F(row)
    left, right = column % width, (column + 1) % width
    top, bottom = min(max(row, 0), height - 1), min(max(row + 1, 0), height - 1)
    for c in range(3):
        a = panorama[top, left, c] + s * (panorama[top, right, c] - panorama[top, left, c])
        b = panorama[bottom, left, c] + s * (panorama[bottom, right, c] - panorama[bottom, left, c])
        out[c] = a + t * (b - a)


@kernel
def paint_gradient(draws: Float32[Array, "D"], out: Float32[Array, "G G 3"]) -> None:
    """Muted colours that pass into one another."""
    size = len(out)
    for row in range(size):
        t = (F(row) + HALF) / F(size)
        for column in range(size):
            s = (F(column) + HALF) / F(size)
            for c in range(3):
                grey = F(0.15) + F(0.7) * draws[VIEW + 2] + F(0.25) * (draws[SHAPES + c] - HALF)
                across = (draws[SHAPES + 3 + c] - HALF) * s * draws[VIEW + 3]
                down = (draws[SHAPES + 6 + c] - HALF) * t * draws[VIEW + 4]
                value = max(grey + F(0.5) * (across + down), F(0.05))
                out[row, column, c] = value * value


@kernel
def paint_interior(draws: Float32[Array, "D"], out: Float32[Array, "G G 3"]) -> None:
    """A wall above a floor, and boxes before it: windows, doors, pictures, furniture."""
    size = len(out)
    edge = F(0.004) + F(0.05) * draws[VIEW] * draws[VIEW]
    horizon = F(0.6) + F(0.5) * draws[VIEW + 1]
    for row in range(size):
        y = (F(row) + HALF) / F(size)
        floor = ramp((y - horizon) / edge)
        for column in range(size):
            x = (F(column) + HALF) / F(size)
            fall = F(0.75) + F(0.5) * (x * draws[VIEW + 2] + (ONE - y) * draws[VIEW + 3])
            for c in range(3):
                wall = tone(draws[VIEW + 4], draws[SHAPES + c])
                ground = F(0.5) * tone(draws[VIEW + 5], draws[SHAPES + 3 + c])
                out[row, column, c] = fall * (wall + floor * (ground - wall))
    boxes = 2 + int(draws[VIEW + 6] * F(MOST_SHAPES - 2))
    for k in range(1, boxes):
        add_box(draws[SHAPES + k * SHAPE_DRAWS : SHAPES + (k + 1) * SHAPE_DRAWS], edge, out)


@kernel
def add_box(d: Float32[Array, "12"], edge: float, out: Float32[Array, "G G 3"]) -> None:
    """A box with soft edges, striped perhaps, over the picture."""
    size = len(out)
    half_x = F(0.02) + F(0.28) * d[2] * d[2]
    half_y = F(0.02) + F(0.45) * d[3] * d[3]
    bright = F(3.0) if d[8] > F(0.88) else ONE
    stripes = F(0.6) * d[9] if d[10] > F(0.6) else ZERO
    rate = F(4) + F(40) * d[11]
    top = max(int((d[1] - half_y - edge) * F(size)), 0)
    bottom = min(int((d[1] + half_y + edge) * F(size)) + 1, size)
    left = max(int((d[0] - half_x - edge) * F(size)), 0)
    right = min(int((d[0] + half_x + edge) * F(size)) + 1, size)
    for row in range(top, bottom):
        y = (F(row) + HALF) / F(size)
        share_y = ramp((half_y - abs(y - d[1])) / edge)
        for column in range(left, right):
            x = (F(column) + HALF) / F(size)
            share = share_y * ramp((half_x - abs(x - d[0])) / edge)
            wave = ONE - stripes * ramp(HALF * (ONE + np.sin(rate * (x if d[10] > F(0.8) else y))))
            for c in range(3):
                value = bright * wave * tone(d[7], d[4 + c])
                out[row, column, c] += share * (value - out[row, column, c])


@kernel
def tone(colour: float, draw: float) -> Any:
    """Linear light of a surface: greys for the most part, coloured the more `colour` is."""
    value = F(0.04) + F(0.8) * colour
    value += F(0.35) * (draw - HALF) * (ONE if draw * colour > F(0.4) else F(0.25))
    return max(value * value, F(0.004))


@kernel
def ramp(x: float) -> Any:
    """From 0 at -1/2 to 1 at 1/2, smoothly."""
    t = min(max(x + HALF, ZERO), ONE)
    return t * t * (F(3) - F(2) * t)


@kernel
def enlarge_behind(
    picture: Float32[Array, "G G 3"],
    gain: Float32[Array, "3"],
    covered: UInt8[Array, "S S"],
    radiance: Float32[Array, "S S 3"],
) -> None:
    """Fill radiance where nothing covers it with a smaller picture, made larger."""
    size, small = len(covered), len(picture)
    scale = F(small) / F(size)
    for row in range(size):
        v = (F(row) + HALF) * scale - HALF
        top = min(max(int(np.floor(v)), 0), small - 2)
        t = min(max(v - F(top), ZERO), ONE)
        for column in range(size):
            if covered[row, column] == 0:
                u = (F(column) + HALF) * scale - HALF
                left = min(max(int(np.floor(u)), 0), small - 2)
                s = min(max(u - F(left), ZERO), ONE)
                for c in range(3):
                    a = picture[top, left, c]
                    a += s * (picture[top, left + 1, c] - a)
                    b = picture[top + 1, left, c]
                    b += s * (picture[top + 1, left + 1, c] - b)
                    radiance[row, column, c] = gain[c] * (a + t * (b - a))
