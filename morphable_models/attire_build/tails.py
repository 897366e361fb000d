"""What hair is tied into: a ponytail, a bun, two braids."""

from dataclasses import dataclass

import numpy as np

from .hair import Scene, Style
from .piece import HAIR, STRANDS, Part, grid_triangles, join, part, step, unit
from .strands import Comb, Cut, Roots, frames, grow, ribbons

TAIL = Comb(reach=30, lift=0.5, volume=3, mess=0.12, stiff=0.7, clear=0, back=0.5, hold=0)
TAIL_CUT = Cut(HAIR, rows=9, width=12, fade=0.75, tip=0.5, twist=2.5)


def ponytail(scene: Scene, style: Style) -> Part:
    """Return a tail of the length of the top that hangs from the knot."""
    knot = np.array(style.comb.gather)
    starts = _bundle(knot, np.array([0.0, 0.35, -1.0]), style.top, 40, 7.0, style.seed)
    path = grow(starts, TAIL, scene.field)
    middle = path.mean(0)
    path = middle + (0.35 + 0.25 * step(np.linspace(0, 1, path.shape[1]), 0, 1))[:, None] * (
        path - middle
    )
    return join(ribbons(path, starts, TAIL_CUT, STRANDS, scene.field), _tie(knot, 13.0))


def _bundle(
    knot: np.ndarray, way: np.ndarray, length: float, count: int, radius: float, seed: int
) -> Roots:
    """Return roots in a disc about a knot."""
    rng = np.random.default_rng(seed + 100)
    luck = rng.random((count, 8))
    spot = (luck[:, :3] - 0.5) * 2
    lengths = length * (0.7 + 0.3 * luck[:, 4])
    normals = unit(way + 0.2 * spot)
    return Roots(knot + radius * spot, normals, lengths, luck[:, 2], np.ones(count), luck)


def _tie(knot: np.ndarray, radius: float) -> Part:
    """Return the hair tie: a small ring in the second colour."""
    u, v = np.meshgrid(*[np.linspace(0, 2 * np.pi, n, endpoint=False) for n in (18, 6)],
                       indexing="ij")  # fmt: skip
    wide = radius + 3.0 * np.cos(v)
    points = np.stack([wide * np.cos(u), wide * np.sin(u), 3.0 * np.sin(v)], -1)
    ring = grid_triangles(19, 7)
    index = (np.arange(19) % 18)[:, None] * 6 + (np.arange(7) % 6)[None]
    return part(knot + points.reshape(-1, 3), index.ravel()[ring][:, ::-1], HAIR, 0, slot=1)


def bun(scene: Scene, style: Style) -> Part:
    """Return a bun of the top's length as its radius about the knot: coils, and loose ends."""
    rng = np.random.default_rng(style.seed + 7)
    knot = np.array(style.comb.gather)
    axis = unit(knot - np.array([0.0, 20.0, 0.0]))
    side = unit(np.cross(axis, [1.0, 0.3, 0.2]))
    up = np.cross(axis, side)
    luck = rng.random((46, 8))
    angle = np.linspace(0, 1.15 * np.pi, 25) + 2 * np.pi * luck[:, :1]
    level = -0.5 + 1.35 * luck[:, 1:2] + 0.35 * (luck[:, 2:3] - 0.5) * np.linspace(-1, 1, 25)
    wide = style.top * np.sqrt(1 - level.clip(-0.98, 0.98) ** 2) * (0.92 + 0.14 * luck[:, 3:4])
    path = (wide * np.cos(angle))[..., None] * side + (wide * np.sin(angle))[..., None] * up
    path = knot + path + (0.75 * style.top * level)[..., None] * axis
    return join(_coils(path, knot, luck), _core(knot, style.top))


@dataclass(frozen=True)
class _Ball:
    """A surface around a knot, for what needs its normals alone."""

    knot: np.ndarray

    def normal(self, points: np.ndarray) -> np.ndarray:
        """Return the direction away from the knot (..., 3)."""
        return unit(points - self.knot)


def _coils(path: np.ndarray, knot: np.ndarray, luck: np.ndarray) -> Part:
    """Return ribbons along paths, arched away from the knot's middle."""
    count = len(path)
    lengths = np.linalg.norm(np.diff(path, axis=1), axis=2).sum(1)
    starts = Roots(path[:, 0], path[:, 0], lengths, luck[:, 5], np.ones(count), luck)
    cut = Cut(HAIR, rows=9, width=11, fade=0.8, tip=0.5, twist=0.5)
    return ribbons(path, starts, cut, STRANDS, _Ball(knot))


def _core(knot: np.ndarray, radius: float) -> Part:
    """Return the dark ball inside a bun."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, 9), np.linspace(0, 2 * np.pi, 15), indexing="ij")
    ball = np.stack([np.sin(theta) * np.cos(phi), np.cos(theta), np.sin(theta) * np.sin(phi)], -1)
    strand = np.stack([phi * radius, theta / np.pi, 1 + 0 * phi], -1).reshape(-1, 3)
    flat = ball.reshape(-1, 3)
    return part(knot + 0.82 * radius * flat, grid_triangles(9, 15), HAIR, STRANDS,
                shade=0.6, strand=strand)  # fmt: skip


def braids(scene: Scene, style: Style) -> Part:
    """Return two braids from the knots down over the shoulders."""
    x, y, z = style.comb.gather or (0.0, 0.0, 0.0)
    parts = []
    for side in (-1.0, 1.0):
        knot = np.array([x * side, y, z])
        spine = _hanging(knot, style.top, side, scene)
        parts += [_lock(spine, k, scene, style.seed) for k in range(3)]
        parts.append(_tie(spine[-4], 9.0))
    return join(*parts)


def _hanging(knot: np.ndarray, length: float, side: float, scene: Scene) -> np.ndarray:
    """Return the middle line of a braid (24, 3), forward over the shoulder."""
    rng = np.random.default_rng(5)
    luck = 0.5 + 0 * rng.random((1, 8))
    comb = Comb(reach=20, lift=0.2, volume=10, mess=0, stiff=0.6, clear=0, forward=0.3, left=side)
    ones = np.ones(1)
    start = Roots(knot[None], unit(np.array([[side, -1.0, 0.6]])), length * ones, ones, ones, luck)
    return grow(start, comb, scene.field)[0]


def _lock(spine: np.ndarray, which: int, scene: Scene, seed: int) -> Part:
    """Return one of a braid's three locks, a round band that weaves about the middle line."""
    t = np.linspace(0, 1, 49)
    fine = np.stack([np.interp(t, np.linspace(0, 1, len(spine)), c) for c in spine.T], 1)
    luck = np.full((1, 8), 0.5)
    _, across, off = (v[0] for v in frames(fine[None], scene.field, luck))
    length = np.linalg.norm(np.diff(fine, axis=0), axis=1).sum()
    angle = 2 * np.pi * (t * length / 52 + which / 3)
    thin = 1 - 0.45 * t
    path = fine + (9 * thin * np.sin(angle))[:, None] * across
    path = path + (5.5 * thin * np.sin(2 * angle))[:, None] * off
    return _tube(path, across, off, 9.5 * thin, seed + which)


def _tube(
    path: np.ndarray, across: np.ndarray, off: np.ndarray, radius: np.ndarray, seed: int
) -> Part:
    """Return a round lock along a path, strands along it."""
    turn = np.linspace(0, 2 * np.pi, 8)
    ring = np.cos(turn)[:, None] * across[:, None] + 0.75 * np.sin(turn)[:, None] * off[:, None]
    points = path[:, None] + radius[:, None, None] * ring
    t = np.linspace(0, 1, len(path))[:, None] + 0 * turn
    ends = (1 - (t - 0.93).clip(0) / 0.07) ** 0.5
    strand = np.stack([turn * 9.0 + 20 * (seed % 5) + 0 * t, t, ends], -1).reshape(-1, 3)
    shade = (0.72 + 0.28 * np.sin(turn)) + 0 * t
    triangles = grid_triangles(len(path), 8)
    return part(points.reshape(-1, 3), triangles, HAIR, STRANDS, shade=shade.ravel().clip(0, 1),
                strand=strand)  # fmt: skip
