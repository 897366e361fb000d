"""What stands before a face, by chance: shapes and hair for a batch of pictures."""

import numpy as np
from jaxtyping import Float64, UInt8

from facegen.files import Array
from facegen.imaging.painting import BOX, ELLIPSE, TRIANGLE, Hair, Shapes
from facegen.rendering.cpu.memory import F

MOST_SHAPES, _WALLS = 3, 0.12
_FLAT, _SLOPED, _GRAINED, _SHOWN = range(4)
_HAIR = np.array([[28, 22, 20], [62, 40, 27], [104, 70, 44], [170, 130, 84], [120, 118, 116]], F)


def draw_shapes(
    draws: np.random.Generator, images: UInt8[Array, "N S S 3"], share: float, largest: float
) -> Shapes:
    """Up to three shapes before this share of N pictures; largest: radius, by the image's side."""
    count, size = images.shape[:2]
    many, form = (count, MOST_SHAPES), (count, MOST_SHAPES, 2)
    there = draws.random(count) < share
    radii = size * max(largest, 1e-3) * 0.2 ** draws.random(form)
    centre = size * draws.uniform(-0.1, 1.1, form)
    kind = draws.choice([ELLIPSE, BOX, TRIANGLE], many, p=[0.5, 0.35, 0.15])
    angle = draws.uniform(0, 2 * np.pi, many)
    _make_bars(draws, radii, kind, size)
    _make_walls(draws, radii, centre, angle, kind, size)
    fill = draws.choice([_FLAT, _SLOPED, _GRAINED, _SHOWN], many, p=[0.25, 0.25, 0.3, 0.2])
    return Shapes(
        number=np.where(there, draws.integers(1, MOST_SHAPES + 1, count), 0).astype(np.int32),
        kind=kind.astype(np.int32),
        centre=centre.astype(F),
        frame=_frames(radii, angle),
        reach=(2.1 * np.hypot(radii[..., 0], radii[..., 1])).astype(F),
        edge=((1 + size * 0.04 * draws.random(many) ** 4) / radii.min(axis=-1)).astype(F),
        colour=_colours(draws, images),
        slope=_slopes(draws, fill, size),
        grain=np.where(fill == _GRAINED, draws.uniform(5, 60, many), 0).astype(F),
        cell=(draws.uniform(3, 40, many) / size).astype(F),
        source=np.where(fill == _SHOWN, draws.integers(0, count, many), -1).astype(np.int32),
        shift=draws.integers(0, size, form).astype(np.int32),
        key=draws.integers(0, 2**32, many, np.uint32),
    )


def _make_bars(draws: np.random.Generator, radii: Array, kind: Array, size: int) -> None:
    """Half of the boxes are bars from border to border, such as sticks and straps."""
    bars = (kind == BOX) & (draws.random(kind.shape) < 0.5)
    radii[bars, 0] = 2.0 * size
    radii[bars, 1] *= 0.4


def _make_walls(
    draws: np.random.Generator,
    radii: Array,
    centre: Array,
    angle: Array,
    kind: Array,
    size: int,
) -> None:
    """Some shapes are walls, which cover one side of the picture as far as half-planes do."""
    walls = draws.random(kind.shape) < _WALLS
    kind[walls] = BOX
    beyond = 2.0 * size + size * draws.uniform(0.25, 0.5, kind.shape)
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    radii[walls] = 2.0 * size
    centre[walls] = size / 2 + (beyond[..., None] * towards)[walls]


def _frames(radii: Float64[Array, "N K 2"], angle: Float64[Array, "N K"]) -> Array:
    """From pixels to frames in which shapes have radius 1."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([c, s], axis=-1), np.stack([-s, c], axis=-1)], axis=-2)
    frames: Array = (turn / radii[..., None]).astype(F)
    return frames


def _colours(draws: np.random.Generator, images: UInt8[Array, "N S S 3"]) -> Array:
    """Any colours, and as often those of some pixel of the batch: hands are like faces."""
    count, size = images.shape[:2]
    many = (count, MOST_SHAPES)
    place = draws.integers(0, size, (2, *many))
    seen = images[draws.integers(0, count, many), place[0], place[1]]
    any_colour = draws.uniform(0, 255, (*many, 3))
    return np.where(draws.random((*many, 1)) < 0.5, seen, any_colour).astype(F)


def _slopes(draws: np.random.Generator, fill: Array, size: int) -> Array:
    """Changes of colour over the picture, much the same in all channels."""
    shape = (*fill.shape, 2)
    steps = draws.normal(0, 60, (*shape, 1)) + draws.normal(0, 20, (*shape, 3))
    return (np.where(fill == _FLAT, 0, 1)[..., None, None] * steps / size).astype(F)


def draw_hair(draws: np.random.Generator, count: int, size: int, share: float) -> Hair:
    """Hair over this share of N pictures."""
    colour = _HAIR[draws.integers(0, len(_HAIR), count)] * draws.uniform(0.6, 1.4, (count, 1))
    return Hair(
        there=(draws.random(count) < share).astype(np.int32),
        top=(size * draws.uniform(0.05, 0.3, count)).astype(F),
        parting=(size * draws.uniform(0.3, 0.7, count)).astype(F),
        drop=(draws.uniform(0, 2.5, count) / size).astype(F),
        fringe=(size * draws.uniform(0.005, 0.06, count)).astype(F),
        lean=draws.normal(0, 0.3, count).astype(F),
        strand=(draws.uniform(25, 70, count) / size).astype(F),
        colour=(colour + draws.normal(0, 8, (count, 3))).astype(F),
        gloss=draws.uniform(0.1, 0.35, count).astype(F),
        key=draws.integers(0, 2**32, count, np.uint32),
    )
