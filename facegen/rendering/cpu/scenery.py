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
    size, line = len(out), np.empty(3 * (width + 1), np.float32)
    reach = F(0.12) + F(0.5) * draws[VIEW]
    tilt = F(0.5) * (draws[VIEW + 1] - HALF)
    for row in range(size):
        y = reach * (ONE - F(2) * (F(row) + HALF) / F(size)) + tilt
        blend_rows(panorama, (HALF - F(2) * y / TAU) * F(height) - HALF, line)
        look_along(line, reach, turn, out[row].reshape(-1))


@kernel
def blend_rows(
    panorama: Float32[Array, "H W 3"], v: float, line: Float32[Array, "3*(W+1)"]
) -> None:
    """A panorama between two of its rows, held at the poles; its first pixel follows its last."""
    last = len(panorama) - 1
    row = int(np.floor(v))
    t = v - F(row)
    above = panorama[min(max(row, 0), last)].reshape(-1)
    below = panorama[min(max(row + 1, 0), last)].reshape(-1)
    mix(above, below, t, line)
    line[len(above) :] = line[:3]


@kernel
def mix(
    one: Float32[Array, "n"], other: Float32[Array, "n"], share: float, out: Float32[Array, "m"]
) -> None:
    """One row of light and a share of another, into the beginning of `out`."""
    for i in range(len(one)):
        out[i] = one[i] + share * (other[i] - one[i])


@kernel
def look_along(
    line: Float32[Array, "3*(W+1)"], reach: float, turn: float, out: Float32[Array, "3*G"]
) -> None:
    """A row of a view, from all around: `reach` to the left and right of straight on."""
    size, width = len(out) // 3, len(line) // 3 - 1
    for column in range(size):
        x = reach * (F(2) * (F(column) + HALF) / F(size) - ONE)
        place = HALF + x / TAU - turn - HALF / F(width)
        u = (place - np.floor(place)) * F(width)
        left = min(max(np.floor(u), ZERO), F(width - 1))
        s, at = u - left, 3 * int(left)
        for c in range(3):
            out[3 * column + c] = line[at + c] + s * (line[at + 3 + c] - line[at + c])


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
    """Add a smaller picture, made larger, to radiance where nothing covers it."""
    size, small = len(covered), len(picture)
    line, scale = np.empty(3 * small, np.float32), F(small) / F(size)
    for row in range(size):
        v = (F(row) + HALF) * scale - HALF
        top = min(max(int(np.floor(v)), 0), small - 2)
        t = min(max(v - F(top), ZERO), ONE)
        above, below = picture[top].reshape(-1), picture[top + 1].reshape(-1)
        mix(above, below, t, line)
        enlarge_line(line, gain, covered[row], radiance[row].reshape(-1))


@kernel
def enlarge_line(
    line: Float32[Array, "3*G"],
    gain: Float32[Array, "3"],
    covered: UInt8[Array, "S"],
    out: Float32[Array, "3*S"],
) -> None:
    """Add a shorter row, made longer, to one where nothing covers it."""
    small, (red, green, blue) = len(line) // 3, (gain[0], gain[1], gain[2])
    scale, last = F(small) / F(len(covered)), F(small - 2)
    for column in range(len(covered)):
        if covered[column] == 0:
            u = (F(column) + HALF) * scale - HALF
            left = min(max(np.floor(u), ZERO), last)
            s, at = min(max(u - left, ZERO), ONE), 3 * int(left)
            r, g, b = line[at], line[at + 1], line[at + 2]
            out[3 * column] += red * (r + s * (line[at + 3] - r))
            out[3 * column + 1] += green * (g + s * (line[at + 4] - g))
            out[3 * column + 2] += blue * (b + s * (line[at + 5] - b))
