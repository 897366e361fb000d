"""Headscarves: one that leaves the face alone free, a bandana, a turban."""

import numpy as np

from .hats import hat_theta
from .head import Field, Skull, direction
from .piece import CLOTH, HAT, Part, join, part, shell_triangles, step
from .shapes import around, cut, even, rims, tube, wrap

OPENING_MM = np.array([0.0, -22.0])
HALF_MM = np.array([64.0, 100.0])


def hijab(field: Field, loose: float = 0.0, open_: float = 0.0) -> Part:
    """Return a scarf over hair, ears, neck and shoulders, with the face free."""
    heights = np.concatenate(
        [15 + 110.5 * np.cos(np.linspace(0.12, 1.3, 14)), np.linspace(34, -330, 34)]
    )
    phi = around(56)
    folds = _folds(heights[:, None], phi[None])
    below = step(-heights, -60, -20)
    plain = wrap(field, heights, phi, 9.0 + folds, -5.0, (1.5, 1.5), (8, 9), below)
    points = wrap(field, heights, phi, 9.0 + loose + folds, -5.0, (1.5, 1.5), (8, 9), below)
    points = points.reshape(-1, 3)
    points = np.vstack([points, [[0, 127.0 + loose, -5.0]]])
    plain = np.vstack([plain.reshape(-1, 3), [[0, 127.0, -5.0]]])
    triangles = _with_top(shell_triangles(len(heights), 56), 56, len(points) - 1)
    whole = cut(triangles, _outside_face(plain))
    points[:, :2] += open_ * _rim_push(plain)
    flat = whole.operator @ points
    shade = whole.operator @ np.append((0.93 + 0.03 * folds).ravel(), 1.0)
    return join(part(flat, whole.triangles, HAT, CLOTH, shade=shade), _hem(flat, whole.triangles))


def _folds(y: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Return the height of folds (rows, columns): along the cheeks, and around the neck."""
    neck = step(-y, 90, 130)
    wave = 3.2 * np.sin(0.085 * y + 2.2 * np.cos(phi - 0.7) + 0.8 * np.sin(3 * phi))
    head = 1.2 * np.sin(9 * phi + 0.03 * y) * step(np.abs(phi), 0.7, 1.5)

    low = 14 * step(-y, 100, 150) * step(y, -300, -230)
    return neck * (7 + 1.4 * wave + low) + (1 - neck) * head


def _outside_face(points: np.ndarray) -> np.ndarray:
    """Return how far (P,) points lie outside the opening for the face, negative within."""
    spot = (points[:, :2] - OPENING_MM) / HALF_MM
    spot[:, 0] *= 1 + 0.25 * step(-points[:, 1], 40, 120)
    inside = 1 - (np.abs(spot) ** 2.3).sum(1) ** (1 / 2.3)
    return np.where(points[:, 2] > 12, -60 * inside, 60.0)


def _rim_push(points: np.ndarray) -> np.ndarray:
    """Return where the opening's edge moves (P, 2) when it widens."""
    near = np.exp(-((_outside_face(points) / 25) ** 2))
    way = (points[:, :2] - OPENING_MM) / HALF_MM
    return near[:, None] * way


def _with_top(triangles: np.ndarray, columns: int, top: int) -> np.ndarray:
    """Return a wrap's triangles, outward, closed above by a fan."""
    first = np.arange(columns)
    return np.vstack([triangles, np.stack([np.full(columns, top), first, np.roll(first, -1)], 1)])


def _hem(points: np.ndarray, triangles: np.ndarray) -> Part:
    """Return the hem around the face as a thin roll."""
    loop = rims(triangles, points[:, 1] > -220)[0]
    path = even(points[loop], 61)[:-1]
    flat, faces = tube(path, 1.6, 1.6, 6, closed=True, up=(0, 0, 1))
    return part(flat, faces, HAT, CLOTH, shade=0.85)


def bandana(skull: Skull, loose: float = 0.0) -> Part:
    """Return a cloth tied over the top of the head, knotted at the back."""
    phi = around(48)
    theta = hat_theta(skull, phi, 2.0)
    share = np.linspace(0, 1, 12)[:, None]
    points = skull.at(share * theta, np.broadcast_to(phi, (12, 48)))
    creases = 1.0 * np.sin(7 * phi) * share + 0.8 * np.sin(9 * share * theta)
    ways = direction(share * theta, np.broadcast_to(phi, (12, 48)))
    points = points + (6.5 + loose + creases)[..., None] * ways
    flat = points.reshape(-1, 3)
    knot = points[-1, 0] + [0, 2, -6]
    ends = [_end(knot, side) for side in (-1, 1)]
    crown = part(flat, shell_triangles(12, 48), HAT, CLOTH,
                 shade=(0.92 + 0.06 * creases).ravel())  # fmt: skip
    return join(crown, *ends)


def _end(knot: np.ndarray, side: int) -> Part:
    """Return a hanging end of the cloth."""
    t = np.linspace(0, 1, 8)[:, None]
    path = knot + t * [side * 22, -70, -12] + np.sin(3 * t) * [side * 8, 0, -8]
    flat, faces = tube(path, np.linspace(4, 13, 8), np.linspace(4, 1.2, 8), 6, up=(0, 0, 1))
    return part(flat, faces, HAT, CLOTH, shade=0.9)


def turban(skull: Skull, loose: float = 0.0) -> Part:
    """Return a turban: a cap, and bands wound around it crosswise."""
    phi = around(48)
    theta = hat_theta(skull, phi, 8.0)
    share = np.linspace(0, 1, 16)[:, None]
    angle = np.broadcast_to(phi, (16, 48))
    wound = np.abs(np.sin(3.5 * np.pi * share + 0.9 * np.sign(np.sin(phi)) * np.cos(phi)))
    body = np.sin(np.pi * share**0.8).clip(0)
    points = skull.at(share * theta, angle)
    ways = direction(share * theta, angle)
    off = 9 + (0.5 * loose + 7 * wound) + (18 + loose) * body
    points = points + off[..., None] * ways
    shade = 0.68 + 0.32 * wound**0.6 + 0 * angle
    return part(points.reshape(-1, 3), shell_triangles(16, 48), HAT, CLOTH,
                shade=shade.ravel())  # fmt: skip
