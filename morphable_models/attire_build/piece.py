"""A piece of attire: a mesh with its looks, the tags it is chosen by, and its variations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

HAIR, BEARD, GLASSES, HAT, CLOTHES, HAND, OTHER = range(10, 17)  # Labels of segments.
STEP = 0.5  # Of a standard deviation, by which variations are found.
CLOTH, STRANDS, GLOSSY, CLEAR, DARK, SKIN = range(6)  # Materials.


@dataclass(frozen=True)
class Part:
    """Points (P, 3) in mm, triangles (T, 3), and what each of them looks like."""

    points: np.ndarray
    triangles: np.ndarray
    segment: np.ndarray
    material: np.ndarray
    under_hat: np.ndarray
    slot: np.ndarray
    shade: np.ndarray
    strand: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """How a piece is made: `make` builds it from a dictionary of numbers.

    `variations` says by name which numbers one standard deviation changes, and by how much.
    """

    kind: str
    binding: str
    make: Callable[..., Part]
    tags: Mapping[str, object]
    variations: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Piece:
    """A finished piece: its mesh at the mean and what each variation adds (K, P, 3)."""

    kind: str
    binding: str
    tags: Mapping[str, object]
    names: tuple[str, ...]
    part: Part
    offsets: np.ndarray


def part(
    points: np.ndarray,
    triangles: np.ndarray,
    segment: int,
    material: int,
    slot: int | np.ndarray = 0,
    shade: float | np.ndarray = 1.0,
    strand: np.ndarray | None = None,
) -> Part:
    """Return a part of one segment and one material; shade is 1 where nothing is darker."""
    count, faces = len(points), len(triangles)
    dark = np.broadcast_to(np.asarray(shade, dtype=float), (count,))
    return Part(
        np.asarray(points, dtype=float),
        np.asarray(triangles, dtype=int).reshape(-1, 3),
        np.full(faces, segment, dtype=np.uint8),
        np.full(faces, material, dtype=np.uint8),
        np.zeros(faces, dtype=np.uint8),
        np.broadcast_to(np.asarray(slot, dtype=np.uint8), (count,)).copy(),
        (255 * dark.clip(0, 1)).round().astype(np.uint8),
        np.zeros((count, 3)) if strand is None else strand,
    )


def join(*parts: Part) -> Part:
    """Return several parts as one."""
    starts = np.cumsum([0] + [len(p.points) for p in parts])
    moved = [replace(p, triangles=p.triangles + s) for p, s in zip(parts, starts[:-1], strict=True)]
    return Part(*(np.concatenate([getattr(p, f.name) for p in moved]) for f in fields(Part)))


def finish(recipe: Recipe) -> Piece:
    """Return the piece of a recipe, each variation found by making it again."""
    mean = recipe.make()
    moved = [_varied(recipe, mean.points, change) for change in recipe.variations.values()]
    offsets = np.array(moved).reshape(-1, *mean.points.shape)
    names = tuple(recipe.variations)
    return Piece(recipe.kind, recipe.binding, recipe.tags, names, mean, offsets)


def _varied(recipe: Recipe, mean: np.ndarray, change: Mapping[str, float]) -> np.ndarray:
    """Return what a variation adds (P, 3); what leaps elsewhere, as a strand may, stays."""
    half = {name: STEP * value for name, value in change.items()}
    offset = (recipe.make(**half).points - mean) / STEP
    size = np.linalg.norm(offset, axis=1)
    most = 1.5 * np.percentile(size, 97) + 1.0
    return offset * ((2 - size / most).clip(0, 1) * np.minimum(1, most / size.clip(1e-6)))[:, None]


def grid_triangles(rows: int, columns: int, closed: bool = False) -> np.ndarray:
    """Return the triangles of a grid of points in row-major order; closed: last column to first."""
    index = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        index = np.column_stack([index, index[:, 0]])
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)


def shell_triangles(rows: int, columns: int, closed: bool = True) -> np.ndarray:
    """Return a grid's triangles, seen from outside: rows from above, columns to the left (+x)."""
    return grid_triangles(rows, columns, closed)[:, ::-1]


def step(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """Return the smooth step from 0 at `low` to 1 at `high`."""
    t = ((np.asarray(x, dtype=float) - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def unit(v: np.ndarray) -> np.ndarray:
    """Return vectors (..., 3) at length one."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True).clip(1e-9)
