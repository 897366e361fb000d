"""Where the anthropometrist's points and tapes lie on the template, as vertices.

Points by their usual abbreviations (Farkas, Anthropometry of the Head and Face, 1994; Gordon et
al., ANSUR II, 2014), `_r` and `_l` on the subject's right and left.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from .anthropometry import Measure, measures
from .mesh import EYES
from .template import Template

# (y, z) in mm on the template's midline.
MIDLINE = {
    "v": (133.3, 25.3), "g": (41.6, 123.1), "n": (23.7, 120.9), "se": (17.5, 120.5),
    "prn": (-22.9, 137.9), "sn": (-36.2, 126.4), "ls": (-45.2, 129.5), "sto": (-53.7, 125.5),
    "sti": (-54.9, 123.7), "li": (-65.5, 124.9), "sl": (-72.1, 119.1), "pg": (-79.9, 119.6),
    "gn": (-96.9, 110.1), "me": (-97.9, 107.8), "c": (-99.0, 60.0), "op": (41.1, -69.0),
}  # fmt: skip
# (x, y) in the front view, on the subject's right.
FRONT = {
    "ex": (-43.8, 13.6), "en": (-16.8, 11.8), "al": (-17.1, -25.0), "ac": (-18.0, -28.5),
    "sbal": (-9.5, -34.6), "cph": (-6.5, -43.5), "ch": (-26.6, -54.1), "ft": (-52.0, 41.5),
    "ps": (-31.0, 18.1), "pi": (-31.0, 9.0), "sto": (-10.4, -53.1), "sti": (-10.9, -54.9),
}  # fmt: skip
# (z, y) in the side view, on the subject's right.
SIDE = {
    "zy": (46.0, 5.0), "go": (42.0, -55.0), "t": (30.7, 0.6), "eu": (1.2, 57.3),
    "sa": (20.8, 19.2), "sba": (27.8, -31.3), "pra": (34.2, 3.2), "pa": (6.1, 5.8),
    "ms": (3.2, 0.1),
}  # fmt: skip
# A tape's plane holds the x axis' direction and these two of its points (y, z).
TAPES = {
    "head": ((41.6, 123.1), (41.1, -69.0)),
    "neck": ((-108.0, 44.0), (-76.0, -42.0)),
    "chin": ((0.6, 30.7), (-79.9, 119.6)),
    "submandibular": ((0.6, 30.7), (-99.0, 60.0)),
}
CLOSED = ("head", "neck")
TAPE_REACH_MM, TAPE_STEP_MM = 2.5, 7.0


@dataclass(frozen=True)
class Places:
    """The vertex of every anthropometric point, and the vertices along every tape, by name."""

    points: dict[str, int]
    tapes: dict[str, np.ndarray]

    def measures(self, head: np.ndarray) -> list[Measure]:
        """Return every measure; the head (V, 3) gives the planes of tapes."""
        return measures(self.points, self.tapes, head)


def place(template: Template) -> Places:
    """Return the places on the template."""
    points = _points(template)
    return Places(points, {name: _tape(template, name, points) for name in TAPES})


def _points(template: Template) -> dict[str, int]:
    """Return the vertex of every anthropometric point by name."""
    skin = template.body & template.front
    y, z = template.points[:, 1], template.points[:, 2]
    middle = np.flatnonzero(skin & (abs(template.points[:, 0]) < 0.5))
    points = {
        name: int(middle[np.hypot(y[middle] - at[0], z[middle] - at[1]).argmin()])
        for name, at in MIDLINE.items()
    }
    for sign, side, eye in ((-1, "r", EYES[0]), (1, "l", EYES[1])):
        points |= {f"{name}_{side}": _seen(template, at, sign, 2) for name, at in FRONT.items()}
        points |= {f"{name}_{side}": _seen(template, at, sign, 0) for name, at in SIDE.items()}
        points[f"pupil_{side}"] = int(np.flatnonzero(template.mesh.of(eye))[0])
    return points


def _seen(template: Template, at: tuple[float, float], sign: int, axis: int) -> int:
    """Return the outer vertex seen nearest to a place from the front (axis 2) or side (axis 0)."""
    points, normals = template.points * [sign, 1, 1], template.normals * [sign, 1, 1]
    seen = template.body & template.front & (points[:, 0] > 0)
    among = np.flatnonzero(seen & (normals[:, axis] > -0.2))
    flat = [-at[0], at[1]] if axis == 2 else at
    gap = points[among][:, [0, 1] if axis == 2 else [2, 1]] - flat
    near = np.hypot(*gap.T) - 0.05 * points[among, axis]
    return int(among[near.argmin()])


def _tape(template: Template, name: str, points: dict[str, int]) -> np.ndarray:
    """Return where a tape drawn tight touches the section of the skin by its plane."""
    start, end = (np.array([0.0, *at]) for at in TAPES[name])
    along = (end - start) / np.linalg.norm(end - start)
    normal = np.cross([1.0, 0.0, 0.0], along)
    offset = template.points - start
    skin = template.body & template.front & (template.masks["ears"] < 0.1)
    on = skin & (abs(offset @ normal) < TAPE_REACH_MM)
    flat = np.column_stack([offset[:, 0], offset @ along])
    if name not in CLOSED:
        on &= flat[:, 1] > 2.0
        on[[points["t_r"], points["t_l"]]] = True
    among = np.flatnonzero(on)
    hull = among[ConvexHull(flat[among]).vertices]
    if name in CLOSED:
        ring = _thinned(hull, flat)
        return np.append(ring, ring[0])
    first = int(np.flatnonzero(hull == points["t_r"])[0])
    turned = np.roll(hull, -first)
    arc = turned if turned[-1] == points["t_l"] else np.append(turned[:1], turned[:0:-1])
    return np.append(_thinned(arc[:-1], flat), arc[-1])


def _thinned(vertices: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Return a run of vertices without those closer to the last one kept than a step."""
    kept = [int(vertices[0])]
    for vertex in vertices[1:]:
        if np.linalg.norm(flat[vertex] - flat[kept[-1]]) >= TAPE_STEP_MM:
            kept.append(int(vertex))
    return np.array(kept)
