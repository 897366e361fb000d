"""Grows hair: strands that follow a comb, gravity and the head's surface, made into ribbons."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .head import Field
from .piece import Part, grid_triangles, part, step, unit
from .scalp import whorl

STEPS = 24
DOWN = np.array([0.0, -1.0, 0.0])
FACE_MM, FACE_HALF_MM = np.array([0.0, -20.0]), np.array([60.0, 95.0])  # Kept free: x, y.


class Surface(Protocol):
    """What has a direction away from it everywhere."""

    def normal(self, points: np.ndarray) -> np.ndarray:
        """Return unit directions (..., 3) at points (..., 3)."""
        ...


@dataclass(frozen=True)
class Comb:
    """Where hair is combed to; weights of directions, lengths in mm, shares from 0 to 1."""

    part: float | None = None  # x of the parting.
    spread: float = 0.0  # Away from the parting.
    left: float = 0.0
    back: float = 0.0
    forward: float = 0.0
    away: float = 0.0  # From the crown.
    swirl: float = 0.0  # Around it.
    up: float = 0.0  # Off the head.
    hold: float = 1.0  # How closely combed hair keeps to the head.
    sweep: float = 0.0  # How far a fringe goes to the left.
    reach: float = 80.0  # After about this length the comb gives way to gravity.
    lift: float = 0.4  # How steeply hair leaves the skin.
    stiff: float = 0.5
    volume: float = 10.0
    body: float = 0.0  # What lies below the lowest layer.
    clear: float = 1.0  # How far hair keeps off the face.
    tuck: float = 0.0  # Ends that curl inward.
    mess: float = 0.15
    wave: float = 0.0
    wave_length: float = 60.0
    curl: float = 0.0
    curl_length: float = 30.0
    gather: tuple[float, float, float] | None = None  # Where hair is tied; x on both sides.


@dataclass(frozen=True)
class Roots:
    """Where strands start, how long each is, and its random numbers from 0 to 1 (N, 8)."""

    points: np.ndarray
    normals: np.ndarray
    length: np.ndarray
    layer: np.ndarray
    free: np.ndarray  # 1 where a strand may hang over the face.
    luck: np.ndarray


def grow(roots: Roots, comb: Comb, field: Field) -> np.ndarray:
    """Return the strands' points (N, STEPS + 1, 3)."""
    side = np.sign(roots.points[:, 0] - (comb.part or 0.0) + 1e-3)
    mess = comb.mess * 2 * (roots.luck[:, :3] - 0.5)
    here = roots.points + 1.0 * roots.normals
    pace = roots.length / STEPS
    way = unit(_combed(here, side, comb, roots.free) + mess + 2 * comb.lift * roots.normals)
    path = [here]
    for k in range(STEPS):
        arc = (k + 0.5) * pace
        way = _turned(here, way, roots, comb, arc, side, mess, _grip(here, roots, comb, arc, field))
        pace = _slowed(here, pace, comb, side)
        here = _kept_off(here + pace[:, None] * way, way, roots, comb, arc + pace / 2, field)
        way = unit(here - path[-1])
        path.append(here)
    smooth = gaussian_filter1d(np.stack(path, 1), 1.2, axis=1, mode="nearest")
    return _curled(smooth, roots, comb, field)


def _knot(comb: Comb, side: np.ndarray) -> np.ndarray:
    """Return where each strand is tied (N, 3)."""
    x, y, z = comb.gather or (0.0, 0.0, 0.0)
    return np.stack([x * side, np.full_like(side, y), np.full_like(side, z)], 1)


def _combed(points: np.ndarray, side: np.ndarray, comb: Comb, free: np.ndarray) -> np.ndarray:
    """Return where the comb wants hair to go (N, 3); what is free to hang forward does."""
    away, around = whorl(points)
    if comb.gather:
        return unit(_knot(comb, side) - points)
    wish = comb.away * away + comb.swirl * around
    wish = wish + np.array([comb.left, 0, comb.forward - comb.back])
    wish[:, 0] += comb.spread * side * step(points[:, 2], -80, 10)
    fringe = np.array([comb.sweep, -0.3, 1.0])
    return wish + free[:, None] * (fringe + 0.012 * points[:, :1] * [1, 0, 0] - wish)


def _turned(
    here: np.ndarray,
    way: np.ndarray,
    roots: Roots,
    comb: Comb,
    arc: np.ndarray,
    side: np.ndarray,
    mess: np.ndarray,
    grip: np.ndarray,
) -> np.ndarray:
    """Return the strands' directions (N, 3) one step on; grip (N, 6) is the surface's."""
    heavy = 1 - np.exp(-arc / comb.reach)
    off, inward = grip[:, :3], grip[:, 3:]
    wish = _combed(here, side, comb, roots.free) + mess
    wish = wish - np.einsum("ni,ni->n", wish, off)[:, None] * off
    weight = 0.0 if comb.gather else 0.15 + heavy
    pull = (1 - heavy)[:, None] * wish + np.multiply.outer(weight + 0 * heavy, DOWN)
    pull = pull + comb.up * roots.normals + inward * (1 - 0.8 * step(-here[:, 1:2], -10, 50))
    over = step(here[:, 2], 30, 65) * step(75 - here[:, 1], 0, 30) * (1 - roots.free)
    aside = np.where(np.abs(here[:, 0]) > 6, np.sign(here[:, 0]), side)
    pull = pull + (comb.clear * over)[:, None] * np.stack([aside, 0 * aside, -0.6 + 0 * aside], 1)
    ends = step(arc / roots.length, 0.6, 1.0)
    inward = unit(-here * [1, 0, 1])
    neck = 0.25 * heavy * step(-here[:, 1], 0, 50) * (comb.reach < 100)
    pull = pull + (comb.tuck * ends + neck)[:, None] * inward
    return unit(comb.stiff * way + (1 - comb.stiff) * pull)


def _grip(here: np.ndarray, roots: Roots, comb: Comb, arc: np.ndarray, field: Field) -> np.ndarray:
    """Return the direction off the head, and how combed hair is drawn back to it (N, 6)."""
    off = field.normal(here)
    far = field.distance(here) - _least(here, roots, comb, arc) - 1.0
    inward = -comb.hold * (far / 8).clip(0, 1)[:, None] * off
    return np.hstack([off, inward])


def _least(here: np.ndarray, roots: Roots, comb: Comb, arc: np.ndarray) -> np.ndarray:
    """Return how far from the head hair lies at least (N,)."""
    base = 2.5 + comb.body * step(arc, 0, 40) + 9.0 * step(-here[:, 1], 90, 150)
    return base + roots.layer * comb.volume * step(arc, 0, 30)


def _slowed(here: np.ndarray, pace: np.ndarray, comb: Comb, side: np.ndarray) -> np.ndarray:
    """Return the length of the next step (N,), none beyond the knot."""
    if not comb.gather:
        return pace
    return np.minimum(pace, 0.8 * np.linalg.norm(_knot(comb, side) - here, axis=1))


def _kept_off(
    there: np.ndarray, way: np.ndarray, roots: Roots, comb: Comb, arc: np.ndarray, field: Field
) -> np.ndarray:
    """Return points moved off the head, and aside from the face."""
    spot = (there[:, :2] - FACE_MM) / FACE_HALF_MM
    over = (there[:, 2] > 30) & (np.abs(spot[:, 1]) < 1) & (roots.free < 0.5)
    edge = FACE_HALF_MM[0] * np.sqrt((1 - spot[:, 1] ** 2).clip(0))
    lack = (edge - np.abs(there[:, 0])).clip(0) * over * comb.clear
    there = there + np.stack([0.35 * lack * np.sign(there[:, 0]), 0 * lack, -0.1 * lack], 1)
    return field.pushed(there, _least(there, roots, comb, arc))


def _curled(path: np.ndarray, roots: Roots, comb: Comb, field: Field) -> np.ndarray:
    """Return strands with waves and curls, still off the head."""
    if not (comb.wave or comb.curl):
        return path
    _, across, off = frames(path, field, roots.luck)
    arc = np.linspace(0, 1, STEPS + 1) * roots.length[:, None]
    turn = roots.points @ np.array([0.020, 0.024, 0.016])  # Neighbours wave alike.
    wave = comb.wave * np.sin(2 * np.pi * arc / comb.wave_length + turn[:, None] * 2 + 1.5
                              * roots.luck[:, 3:4])  # fmt: skip
    angle = 2 * np.pi * (arc / (comb.curl_length * (0.8 + 0.4 * roots.luck[:, 4:5]))
                         + roots.luck[:, 5:6])  # fmt: skip
    ramp = step(arc, 0, 40)
    ring = np.cos(angle)[..., None] * across + np.sin(angle)[..., None] * off
    moved = path + (ramp * wave)[..., None] * (0.8 * across + 0.5 * off)
    moved = moved + comb.curl * (step(arc, 0, 25))[..., None] * ring
    return field.pushed(moved, 2.0)


def trimmed(path: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return strands (N, S, 3) cut off at heights (N,), their points spread over what is left."""
    steps = path.shape[1]
    below = path[:, :, 1] < level[:, None]
    last = np.where(below.any(1), below.argmax(1), steps - 1).clip(3)
    above, under = (path[np.arange(len(path)), last - k, 1] for k in (1, 0))
    share = ((above - level) / (above - under).clip(1e-6)).clip(0, 1)
    end = np.where(below.any(1), last - 1 + share, last)
    where = np.linspace(0, 1, steps) * end[:, None]
    low = where.astype(int).clip(0, steps - 2)
    rest = (where - low)[..., None]
    rows = np.arange(len(path))[:, None]
    return (1 - rest) * path[rows, low] + rest * path[rows, low + 1]


def frames(
    path: np.ndarray, field: Surface, luck: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unit vectors (N, S, 3) along strands, across them, and off the head."""
    along = unit(np.gradient(path, axis=1))
    off = field.normal(path) + 0.5 * (luck[:, None, 5:8] - 0.5)
    off = gaussian_filter1d(off, 2.0, axis=1, mode="nearest")
    across = unit(np.cross(along, off))
    return along, across, unit(np.cross(across, along))


@dataclass(frozen=True)
class Cut:
    """How strands become ribbons: rows along, width in mm, tips, and where they are placed."""

    segment: int
    rows: int = 7
    width: float = 9.0
    tip: float = 0.45  # Width at the tip.
    fade: float = 0.7  # Where along the strand it starts to thin out.
    dark: float = 0.5  # Shade of the lowest layer.
    round: float = 0.22  # Height of a ribbon's middle by its width.
    twist: float = 0.5
    bunch: float = 0.9  # Above 1 rows lie closer near the root.
    under: float = 0.0  # How much wider the lowest layer is.


def ribbons(path: np.ndarray, roots: Roots, cut: Cut, material: int, field: Surface) -> Part:
    """Return strands as ribbons of three points across, arched away from the head."""
    where = np.linspace(0, 1, cut.rows) ** cut.bunch
    index = (where * (path.shape[1] - 1)).round().astype(int)
    _, across, off = frames(path, field, roots.luck)
    spine, across, off = path[:, index], across[:, index], off[:, index]
    turn = cut.twist * (roots.luck[:, 6] - 0.5)[:, None, None]
    across, off = across + turn * off, off - turn * across
    under = 1 + cut.under * (1 - step(roots.layer, 0.15, 0.4))
    size = cut.width * (0.7 + 0.6 * roots.luck[:, 7]) * under
    profile = (0.75 + 0.25 * step(where, 0, 0.2)) * (1 - (1 - cut.tip) * step(where, 0.45, 1.0))
    half = 0.5 * size[:, None] * profile
    lateral = np.array([-1.0, 0.0, 1.0])
    points = spine[:, :, None] + (half[..., None] * lateral)[..., None] * across[:, :, None]
    rise = 2 * half[..., None] * cut.round * (1 - lateral**2)
    points = points + rise[..., None] * off[:, :, None]
    strand = _strand(where, half, roots, cut)
    shade = _shade(where, roots, cut)
    count = len(path)
    one = grid_triangles(cut.rows, 3)
    triangles = (one[None] + 3 * cut.rows * np.arange(count)[:, None, None]).reshape(-1, 3)
    flat = points.reshape(-1, 3)
    return part(flat, triangles, cut.segment, material, 0, shade, strand.reshape(-1, 3))


def _strand(where: np.ndarray, half: np.ndarray, roots: Roots, cut: Cut) -> np.ndarray:
    """Return (N, rows, 3, 3): s across in mm, t along, opacity."""
    lateral = np.array([-1.0, 0.0, 1.0])
    start = 12.0 + 100.0 * roots.luck[:, 0]
    # A ribbon keeps its strands as it narrows, so s counts them at its full width.
    full = half.max(1)
    s = start[:, None, None] + (full[:, None] * lateral)[:, None] + 0 * where[:, None]
    tip = 1 - step(where, cut.fade, 1.0)
    tip = tip * (0.75 + 0.25 * step(where, 0, 0.12))
    opacity = tip[:, None] * np.array([0.42, 1.0, 0.42])
    t = np.broadcast_to(where[:, None], s.shape)
    return np.stack([s, t, np.broadcast_to(opacity, s.shape)], -1)


def _shade(where: np.ndarray, roots: Roots, cut: Cut) -> np.ndarray:
    """Return the shade of each point: dark inside and at the roots, each lock a little its own."""
    lit = cut.dark + (1 - cut.dark) * roots.layer.clip(0, 1)
    lock = lit * (0.9 + 0.2 * roots.luck[:, 4])
    along = 0.72 + 0.28 * step(where, 0, 0.35)
    return np.repeat(lock[:, None] * along, 3, axis=1).ravel()
