"""Painting over pictures: shapes in front of a face, and hair that falls over it."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, UInt8, UInt32

from facegen.files import Array
from facegen.imaging.sensor import hashed
from facegen.rendering.cpu.memory import HALF, I32, ONE, U32, ZERO, F, kernel

ELLIPSE, BOX, TRIANGLE = range(3)
_FULL, _UNIT = F(255), F(2.0**-32)
_SINE, _COSINE = F(3**0.5 / 2), F(0.5)


class Shapes(NamedTuple):
    """K shapes in front of each of N pictures, of which the first `number` are there.

    kind: ELLIPSE, BOX or TRIANGLE, of radius 1 in its own frame; centre: right and down in pixels;
    frame: from pixels to the shape's frame; reach: pixels around the centre that hold all of it;
    edge: how many of the frame's lengths a pixel of its border is; colour, slope (per pixel right
    and down) and grain (amplitude of noise) in 8-bit steps; cell: the noise's cells per pixel;
    source: the picture whose pixels it shows, moved by `shift`, or -1; key: decides the noise.
    """

    number: Int32[Array, "N"]
    kind: Int32[Array, "N K"]
    centre: Float32[Array, "N K 2"]
    frame: Float32[Array, "N K 2 2"]
    reach: Float32[Array, "N K"]
    edge: Float32[Array, "N K"]
    colour: Float32[Array, "N K 3"]
    slope: Float32[Array, "N K 2 3"]
    grain: Float32[Array, "N K"]
    cell: Float32[Array, "N K"]
    source: Int32[Array, "N K"]
    shift: Int32[Array, "N K 2"]
    key: UInt32[Array, "N K"]


class Hair(NamedTuple):
    """Hair over the upper part of each of N pictures; lengths in pixels.

    there: 1 where there is any; top: how far down it falls at its parting; parting: where that is;
    drop: how much further down for each squared pixel beside it; fringe: how uneven its edge is;
    lean: how far strands move right on a pixel's way down; colour and gloss in 8-bit steps.
    """

    there: Int32[Array, "N"]
    top: Float32[Array, "N"]
    parting: Float32[Array, "N"]
    drop: Float32[Array, "N"]
    fringe: Float32[Array, "N"]
    lean: Float32[Array, "N"]
    strand: Float32[Array, "N"]
    colour: Float32[Array, "N 3"]
    gloss: Float32[Array, "N"]
    key: UInt32[Array, "N"]


@kernel
def lattice(column: int, row: int, key: int) -> Any:
    """A number in [-1, 1) at a node of a lattice."""
    bits = hashed(U32(U32(column) * U32(0x9E3779B1) + U32(row)), key, key)
    return F(2) * F(bits) * _UNIT - ONE


@kernel
def value_noise(x: float, y: float, key: int) -> Any:
    """Smooth noise in [-1, 1]: between the numbers of a lattice's nodes, linearly."""
    left, top = np.floor(x), np.floor(y)
    s, t = x - left, y - top
    i, j = I32(left), I32(top)
    above = lattice(i, j, key) * (ONE - s) + lattice(i + 1, j, key) * s
    below = lattice(i, j + 1, key) * (ONE - s) + lattice(i + 1, j + 1, key) * s
    return above * (ONE - t) + below * t


@kernel
def radius_in(kind: int, u: float, v: float) -> Any:
    """How far from its centre a point of a shape's frame lies, 1 on the border."""
    if kind == ELLIPSE:
        return np.sqrt(u * u + v * v)
    if kind == BOX:
        return max(abs(u), abs(v))
    return max(v, _SINE * abs(u) - _COSINE * v)


@kernel
def paint_shapes(
    images: UInt8[Array, "N S S 3"], before: UInt8[Array, "N S S 3"], shapes: Shapes
) -> None:
    """Paint shapes over pictures, in place; before: the pictures that they show parts of."""
    for n in range(len(images)):
        for k in range(shapes.number[n]):
            shown = before[max(shapes.source[n, k], 0)]
            paint_shape(
                images[n], shown, shapes.kind[n, k], shapes.reach[n, k], fill_of(shapes, n, k)
            )


class Fill(NamedTuple):
    """One of the Shapes, in plain numbers."""

    centre: tuple[float, float]
    frame: tuple[float, float, float, float]
    sharp: float
    colour: tuple[float, float, float]
    right: tuple[float, float, float]
    down: tuple[float, float, float]
    grain: float
    cell: float
    shift: tuple[int, int]
    shows: bool
    key: int


@kernel
def fill_of(shapes: Shapes, n: int, k: int) -> Fill:
    """The k-th shape of the n-th picture."""
    centre, frame, shift = shapes.centre[n, k], shapes.frame[n, k], shapes.shift[n, k]
    colour, right, down = shapes.colour[n, k], shapes.slope[n, k, 0], shapes.slope[n, k, 1]
    return Fill(
        (centre[0], centre[1]),
        (frame[0, 0], frame[0, 1], frame[1, 0], frame[1, 1]),
        ONE / shapes.edge[n, k],
        (colour[0], colour[1], colour[2]),
        (right[0], right[1], right[2]),
        (down[0], down[1], down[2]),
        shapes.grain[n, k],
        shapes.cell[n, k],
        (shift[0], shift[1]),
        shapes.source[n, k] >= 0,
        shapes.key[n, k],
    )


@kernel
def paint_shape(
    image: UInt8[Array, "S S 3"],
    shown: UInt8[Array, "S S 3"],
    kind: int,
    reach: float,
    fill: Fill,
) -> None:
    """Paint one shape over a picture."""
    size, centre = len(image), fill.centre
    a, b, c, d = fill.frame
    left, until = within(centre[0], reach, size)
    top, bottom = within(centre[1], reach, size)
    for row in range(top, bottom):
        y = F(row) + HALF - centre[1]
        for column in range(left, until):
            x = F(column) + HALF - centre[0]
            inside = ONE - radius_in(kind, a * x + b * y, c * x + d * y)
            cover = min(inside * fill.sharp + HALF, ONE)
            if cover > ZERO and fill.shows:
                show(image, shown, row, column, cover, fill.shift)
            elif cover > ZERO:
                colour(image, row, column, cover, fill)


@kernel
def within(centre: float, reach: float, size: int) -> tuple[int, int]:
    """The pixels of an image that lie around a centre: the first, and the one after the last."""
    return I32(max(centre - reach, ZERO)), I32(max(min(centre + reach + ONE, F(size)), ZERO))


@kernel
def show(
    image: UInt8[Array, "S S 3"],
    shown: UInt8[Array, "S S 3"],
    row: int,
    column: int,
    cover: float,
    shift: tuple[int, int],
) -> None:
    """Cover a pixel with one of another picture."""
    from_row, from_column = (row + shift[1]) % len(image), (column + shift[0]) % len(image)
    for c in range(3):
        blend(image, row, column, c, F(shown[from_row, from_column, c]), cover)


@kernel
def colour(image: UInt8[Array, "S S 3"], row: int, column: int, cover: float, fill: Fill) -> None:
    """Cover a pixel with a shape's colour there."""
    x, y = F(column) - fill.centre[0], F(row) - fill.centre[1]
    noise = ZERO
    if fill.grain > ZERO:
        noise = fill.grain * value_noise(fill.cell * x, fill.cell * y, fill.key)
    for c in range(3):
        value = fill.colour[c] + x * fill.right[c] + y * fill.down[c] + noise
        blend(image, row, column, c, value, cover)


@kernel
def blend(
    image: UInt8[Array, "S S 3"], row: int, column: int, c: int, value: float, cover: float
) -> None:
    """Cover a share of a pixel's channel with a value."""
    old = F(image[row, column, c])
    image[row, column, c] = np.uint8(I32(old + cover * (min(max(value, ZERO), _FULL) - old) + HALF))


@kernel
def paint_hair(images: UInt8[Array, "N S S 3"], hair: Hair) -> None:
    """Paint hair over pictures, in place."""
    for n in range(len(images)):
        if hair.there[n]:
            paint_cap(images[n], n, hair)


@kernel
def paint_cap(image: UInt8[Array, "S S 3"], n: int, hair: Hair) -> None:
    """Paint the hair of one picture: strands, which end at uneven heights."""
    key, strand, lean, gloss = hair.key[n], hair.strand[n], hair.lean[n], hair.gloss[n]
    fringe = hair.fringe[n]
    slow = ONE / F(len(image))
    for row in range(len(image)):
        for column in range(len(image)):
            y, beside = F(row), F(column) - hair.parting[n]
            x = (F(column) + lean * y) * strand
            end = hair.top[n] + hair.drop[n] * beside * beside
            if abs(y - end) < F(2) * fringe + ONE:
                uneven = value_noise(x, ZERO, key) + value_noise(x * F(0.2), ONE, key)
                end += fringe * uneven
            cover = min(end - y, ONE)
            if cover > ZERO:
                shade = value_noise(x, y * slow * F(4), key) + value_noise(
                    x * F(0.3), y * slow, key
                )
                for c in range(3):
                    value = hair.colour[n, c] * (ONE + gloss * shade)
                    blend(image, row, column, c, value, cover)
