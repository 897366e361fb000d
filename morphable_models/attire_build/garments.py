"""The cloth of clothes: the torso's surface moved outward, cut at a neckline, skin below it."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .body import Torso
from .head import Field
from .piece import CLOTH, CLOTHES, OTHER, SKIN, Part, part, shell_triangles, step
from .shapes import around, cut, even, rims, tube, wrap

SLOPE, BASE_MM = 0.5, 163.0  # The neck's base is the plane y + 0.5 z + 163 = 0.


@dataclass(frozen=True)
class Wearer:
    """The torso and the field of all surfaces, on which clothes lie."""

    torso: Torso
    field: Field


@dataclass(frozen=True)
class Neckline:
    """A neckline in mm: how far below the neck's base, how deep in front, V-shaped or round."""

    drop: float = 4.0
    deep: float = 0.0
    wide: float = 60.0
    round: bool = False
    lateral: float = 0.0  # How the edge also depends on the distance from the middle.
    straps: float = 0.0  # Half width between the armholes; none if 0.

    def level(self, points: np.ndarray) -> np.ndarray:
        """Return how far (P,) points lie within the cloth."""
        x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
        across = (x / self.wide).clip(0, 1)
        notch = 1 - across**2 if self.round else 1 - across
        level = -(y + SLOPE * z + BASE_MM) - self.drop - self.deep * notch * step(z, -60, 30)
        level = level + self.lateral * (x - self.wide)
        if self.straps:
            arm = self.straps + 0.004 * (y + 150).clip(-400, 0) ** 2 * 0.6
            level = np.minimum(level, arm - x)
        return level


def cloth(
    wearer: Wearer, neck: Neckline, clear: float, manly: float, loose: float, slot: int = 0
) -> Part:
    """Return the cloth of the torso, `clear` mm off the skin."""
    torso = wearer.torso
    plain = torso.points[: torso.coarse]
    level = neck.level(plain)
    whole = cut(torso.coarse_triangles, level)
    folds = _folds(plain)
    low = step(level, 10, 160)
    off = clear + (5 * loose + 2.2 * folds) * low
    moved = plain + manly * torso.manly[: torso.coarse]
    moved = _smoothed(plain, moved) + off[:, None] * torso.normals[: torso.coarse]
    shade = 0.93 + 0.07 * folds * low - 0.12 * step(-plain[:, 1], 330, 470)
    return part(whole.operator @ moved, whole.triangles, CLOTHES, CLOTH, slot,
                whole.operator @ shade)  # fmt: skip


def _smoothed(plain: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Return points with the chest a little flatter than the body's."""
    x, y, z = plain.T
    chest = step(z, 60, 100) * step(-y, 200, 260) * (np.abs(x) < 150)
    return moved - np.stack([0 * x, 0 * x, 0.55 * chest * (z - 78).clip(0)], 1)


def _folds(points: np.ndarray) -> np.ndarray:
    """Return the height of folds (P,) from -1 to 1, from the arms towards the chest."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    wave = np.sin(0.055 * y + 0.075 * x + 0.6 * np.sin(0.03 * z + 0.05 * points[:, 0]))
    return wave * (0.35 + 0.65 * np.exp(-(((x - 160) / 50) ** 2)))


def skin(wearer: Wearer, neck: Neckline, manly: float, under: float = 14.0) -> Part:
    """Return the skin that a neckline leaves free, reaching `under` mm below the cloth."""
    torso = wearer.torso
    plain = torso.points[: torso.coarse]
    whole = cut(torso.coarse_triangles, under - neck.level(plain))
    moved = plain + manly * torso.manly[: torso.coarse]
    chin = 1 - 0.25 * step(plain[:, 1], -165, -125) * step(plain[:, 2], -10, 30)
    return part(whole.operator @ moved, whole.triangles, OTHER, SKIN, 0, whole.operator @ chin)


def hems(sheet: Part, wide: float, thick: float, slot: int = 1) -> list[Part]:
    """Return the rolls along all edges of a cloth but the lowest, the longest first."""
    keep = (sheet.points[:, 1] > -400) & (np.abs(sheet.points[:, 0]) < 150)
    return [_roll(sheet.points[run], wide, thick, slot) for run in rims(sheet.triangles, keep)]


def hem(sheet: Part, wide: float, thick: float, slot: int = 1) -> Part:
    """Return the roll along a cloth's neckline."""
    return hems(sheet, wide, thick, slot)[0]


def _roll(path: np.ndarray, wide: float, thick: float, slot: int) -> Part:
    """Return a roll along a path, which is closed if it ends where it starts."""
    closed = bool(np.allclose(path[0], path[-1]))
    smooth = gaussian_filter1d(even(path, 73), 0.8, axis=0, mode="wrap" if closed else "nearest")
    smooth = smooth[:-1] if closed else smooth
    points, triangles = tube(smooth, thick, wide, 6, closed, up=(0, 1, 0))
    return part(points, triangles, CLOTHES, CLOTH, slot, 0.95)


def ring(
    wearer: Wearer, phi: np.ndarray, heights: np.ndarray, flare: np.ndarray, clear: np.ndarray
) -> np.ndarray:
    """Return rows (R, C, 3) around the neck: `flare` mm wider than it, `clear` mm off the skin.

    All arguments are given by row and column; phi is 0 in front.
    """
    shape = np.broadcast_shapes(np.shape(phi), np.shape(heights), np.shape(flare))
    phi, heights = np.broadcast_to(phi, shape), np.broadcast_to(heights, shape)
    fine = np.linspace(-np.pi, np.pi, 73)
    level = -108 - 44 * (0.5 + 0.5 * np.cos(fine))
    neck = wrap(wearer.field, level[None], fine, 0.0, -20.0, (0, 2.0))[0]
    radius = np.hypot(neck[:, 0], neck[:, 2] + 20.0)
    radius = np.interp((phi + np.pi) % (2 * np.pi) - np.pi, fine, radius) + flare
    points = np.stack([radius * np.sin(phi), heights, radius * np.cos(phi) - 20.0], -1)
    return wearer.field.pushed(points, np.broadcast_to(clear, shape), 3)


def frontness(phi: np.ndarray) -> np.ndarray:
    """Return 1 at the front and 0 at the back."""
    return 0.5 + 0.5 * np.cos(phi)


def collar(points: np.ndarray, slot: int = 0, closed: bool = True, shade: float = 1.0) -> Part:
    """Return rows of points around the neck as cloth."""
    rows, columns = points.shape[:2]
    dark = np.repeat(np.linspace(shade, 1.0, rows), columns)
    triangles = shell_triangles(rows, columns, closed)
    return part(points.reshape(-1, 3), triangles, CLOTHES, CLOTH, slot, dark)


def turtleneck(wearer: Wearer, high: float, loose: float) -> Part:
    """Return a collar up the neck, folded over outside."""
    phi = around(40)
    top = -84.0 + high
    rows = np.array(
        [
            top - 60,
            top - 62,
            top - 40,
            top - 20,
            top - 3,
            top,
            top - 3,
            top - 20,
            top - 42,
            top - 80,
        ]
    )
    off = np.array([3.0, 8.5, 10, 10, 8.5, 6.5, 5, 4.5, 4.5, 3]) + 2 * loose
    heights = rows[:, None] - 54 * frontness(phi)
    folds = 0.8 * np.sin(5 * phi) + 0.6 * np.sin(9 * phi + 1)
    points = ring(wearer, phi, heights, off[:, None] + folds, off[:, None] - 3.2)
    return collar(points[::-1], 0, True)
