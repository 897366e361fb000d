"""Shapes that attire is made of: tubes, wraps around the head and body, cut meshes."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.ndimage import gaussian_filter, grey_closing

from .head import Field
from .piece import grid_triangles, unit

OUTER_MM = 260.0


def tube(
    path: np.ndarray, wide: np.ndarray | float, high: np.ndarray | float, sides: int = 6,
    closed: bool = False, up: tuple[float, float, float] = (0.0, 1.0, 0.0),
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return points and triangles of a tube; half widths across and along `up` by point."""
    count = len(path)
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    along = unit(along)
    across = unit(np.cross(along, np.array(up) + 1e-6))
    over = np.cross(across, along)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi / sides
    a = np.broadcast_to(wide, (count,))[:, None, None] * across[:, None]
    b = np.broadcast_to(high, (count,))[:, None, None] * over[:, None]
    points = path[:, None] + a * np.cos(angle)[:, None] + b * np.sin(angle)[:, None]
    rows = count + closed
    index = (np.arange(rows) % count)[:, None] * sides + (np.arange(sides + 1) % sides)[None]
    triangles = index.ravel()[grid_triangles(rows, sides + 1)][:, ::-1]
    flat = points.reshape(-1, 3)
    return (flat, triangles) if closed else _capped(flat, triangles, sides)


def _capped(points: np.ndarray, triangles: np.ndarray, sides: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a tube with both of its ends closed by fans."""
    fan = np.array([(0, k + 1, k) for k in range(1, sides - 1)])[:, ::-1]
    last = len(points) - sides + fan[:, ::-1]
    return points, np.vstack([triangles, fan, last])


@dataclass(frozen=True)
class Cut:
    """A mesh cut along a level: new points are the operator (P', P) applied to the old ones."""

    operator: sp.csr_matrix
    triangles: np.ndarray


def cut(triangles: np.ndarray, level: np.ndarray) -> Cut:
    """Return what of a mesh lies where `level` (P,) is positive, cut exactly at zero."""
    inside = level > 0
    count = inside[triangles].sum(1)
    whole = triangles[count == 3]
    ends: dict[tuple[int, int], int] = {}
    extra = [_corner(t, inside, ends, len(level)) for t in triangles[(count == 1) | (count == 2)]]
    faces = np.array([f for group in extra for f in group], dtype=int).reshape(-1, 3)
    pairs = np.array(list(ends), dtype=int).reshape(-1, 2)
    share = level[pairs[:, 0]] / (level[pairs[:, 0]] - level[pairs[:, 1]])
    rows = np.arange(len(pairs))
    shape = (len(pairs), len(level))
    middle = sp.csr_matrix((1 - share, (rows, pairs[:, 0])), shape=shape)
    middle = middle + sp.csr_matrix((share, (rows, pairs[:, 1])), shape=shape)
    return _compact(sp.vstack([sp.identity(len(level)), middle]).tocsr(), np.vstack([whole, faces]))


def _corner(
    triangle: np.ndarray, inside: np.ndarray, ends: dict[tuple[int, int], int], start: int
) -> list[tuple[int, int, int]]:
    """Return what is left of a triangle that the cut crosses."""
    alone = inside[triangle].sum() == 1
    lone = next(k for k in range(3) if inside[triangle[k]] == alone)
    a, b, c = (int(v) for v in np.roll(triangle, -lone))
    ab, ac = (start + ends.setdefault((min(a, v), max(a, v)), len(ends)) for v in (b, c))
    return [(a, ab, ac)] if alone else [(ab, b, c), (ab, c, ac)]


def _compact(operator: sp.csr_matrix, triangles: np.ndarray) -> Cut:
    """Return a cut with the points left out that no triangle uses."""
    used, index = np.unique(triangles, return_inverse=True)
    return Cut(operator[used], index.reshape(-1, 3))


def border(triangles: np.ndarray) -> np.ndarray:
    """Return the directed edges (E, 2) that one triangle alone has."""
    edges = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    key = np.sort(edges, axis=1)
    _, index, count = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    return edges[count[index.ravel()] == 1]


def rims(triangles: np.ndarray, keep: np.ndarray, least: int = 12) -> list[np.ndarray]:
    """Return the runs of border vertices with `keep` (P,), longest first; closed ones repeat."""
    edges = border(triangles)
    edges = edges[keep[edges].all(1)]
    follow = dict(edges.tolist())
    heads = [a for a in edges[:, 0].tolist() if a not in set(edges[:, 1].tolist())]
    runs: list[list[int]] = []
    while follow:
        run = [heads.pop() if heads else next(iter(follow))]
        while run[-1] in follow:
            run.append(follow.pop(run[-1]))
        runs.append(run)
    return [np.array(r) for r in sorted(runs, key=len, reverse=True) if len(r) >= least]


def even(path: np.ndarray, count: int) -> np.ndarray:
    """Return a path (n, 3) as `count` points at even distances."""
    arc = np.append(0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1)))
    wanted = np.linspace(0, arc[-1], count)
    return np.stack([np.interp(wanted, arc, c) for c in path.T], 1)


def drape(field: Field, x: np.ndarray, y: np.ndarray, clear: np.ndarray | float) -> np.ndarray:
    """Return points (..., 3) at x, y on the front of all surfaces, `clear` mm off them."""
    z = np.full(np.shape(x), 200.0)
    for _ in range(40):
        gap = field.distance(np.stack([x, y, z], -1)) - clear
        z = np.maximum(z - 0.8 * gap.clip(-4, 30), -80.0)
    return np.stack([x, y, z], -1)


def wrap(
    field: Field, heights: np.ndarray, phi: np.ndarray, clear: np.ndarray | float,
    middle: np.ndarray | float = 0.0, smooth: tuple[float, float] = (1.0, 1.0),
    fill: tuple[int, int] = (1, 1), filled: np.ndarray | float = 1.0,
) -> np.ndarray:  # fmt: skip
    """Return points (rows, columns, 3) around the vertical axis, `clear` mm off all surfaces.

    `heights` are those of the rows, or of each point; `phi` is 0 at the front; `middle` is the
    axis's z by row. Seen from outside in, the first surface counts. Hollows of up to
    `fill` rows and columns are bridged, by row to a share `filled`.
    """
    phi = np.broadcast_to(phi, (len(heights), np.shape(phi)[-1]))
    y = heights[:, None] + 0 * phi if heights.ndim == 1 else heights
    way = np.stack([np.sin(phi), 0 * phi, np.cos(phi)], -1)
    axis = np.stack([0 * phi, y, np.broadcast_to(np.reshape(middle, (-1, 1)), y.shape)], -1)
    radius = np.full(phi.shape, OUTER_MM)
    for _ in range(40):
        gap = field.distance(axis + radius[..., None] * way) - clear
        radius = np.maximum(radius - 0.8 * gap.clip(-4, 40), 5.0)
    closed = np.ptp(phi) > 5.5
    modes = ("nearest", "wrap" if closed else "nearest")
    bridged = grey_closing(radius, size=fill, mode="nearest") if max(fill) > 1 else radius
    radius = radius + np.reshape(filled, (-1, 1)) * (bridged - radius)
    soft = gaussian_filter(radius, smooth, mode=modes) if max(smooth) > 0 else radius
    return axis + np.maximum(soft, radius - 3.0)[..., None] * way


def around(columns: int) -> np.ndarray:
    """Return the angles of a closed ring of columns, the seam at the back."""
    return np.linspace(-np.pi, np.pi, columns, endpoint=False)
