"""Measures sampled heads against adult head and face dimensions from a published survey.

Zhuang Z, Bradtmiller B (2005), Head-and-face anthropometric survey of U.S. respirator users,
J Occup Environ Hyg 2:567-576; mean and standard deviation in mm, women then men.
"""

from collections.abc import Callable

import numpy as np

from .mesh import EYES
from .template import Template, eye_centre

PUBLISHED = {
    "menton-sellion length": ((113.4, 6.1), (122.7, 7.0)),
    "interpupillary distance": ((61.9, 3.5), (64.5, 3.6)),
    "bizygomatic breadth": ((135.1, 6.5), (143.5, 6.9)),
    "head breadth": ((146.8, 5.6), (153.0, 6.0)),
    "head length": ((187.5, 7.2), (197.3, 7.4)),
    "nose breadth": ((33.2, 3.9), (36.6, 4.1)),
    "lip length": ((48.0, 4.0), (51.1, 4.2)),
}
Measure = Callable[[np.ndarray], float]


def measures(template: Template, landmarks: np.ndarray) -> dict[str, Measure]:
    """Return the functions that measure points (V, 3) of one head in mm."""
    x, y, z = template.points.T
    skin = template.body & template.front & (template.masks["ears"] < 0.1)
    sellion, menton = landmarks[27], landmarks[8]
    glabella = np.array([0, 27, template.points[sellion, 2]])
    near = np.where(skin, np.linalg.norm(template.points - glabella, axis=1), np.inf)
    skull = skin & (y > 25)
    return {
        "menton-sellion length": _between(sellion, menton),
        "interpupillary distance": _pupils(template),
        "bizygomatic breadth": _breadth(skin & (y > -25) & (y < 8) & (z > 0)),
        "head breadth": _breadth(skull),
        "head length": _reach(int(near.argmin()), skull),
        "nose breadth": _breadth(skin & (abs(x) < 18.5) & (y > -33) & (y < -15) & (z > 80)),
        "lip length": _between(landmarks[48], landmarks[54]),
    }


def _between(a: int, b: int) -> Measure:
    """Return the measure of the distance between two vertices."""
    return lambda p: float(np.linalg.norm(p[a] - p[b]))


def _breadth(where: np.ndarray) -> Measure:
    """Return the measure of the greatest breadth over some vertices."""
    return lambda p: float(np.ptp(p[where, 0]))


def _reach(vertex: int, where: np.ndarray) -> Measure:
    """Return the measure of the greatest distance from one vertex to some others."""
    return lambda p: float(np.linalg.norm(p[where] - p[vertex], axis=1).max())


def _pupils(template: Template) -> Measure:
    """Return the measure of the distance between the eyeballs' centres."""
    right, left = EYES
    mesh = template.mesh
    return lambda p: float(np.linalg.norm(eye_centre(p, mesh, right) - eye_centre(p, mesh, left)))


def report(heads: np.ndarray, gender: np.ndarray, rulers: dict[str, Measure]) -> str:
    """Return a Markdown table of mean and deviation for women (gender < 0.5) and men."""
    lines = ["| Measure (mm) | Women | Published | Men | Published |", "|---|---|---|---|---|"]
    for name, ruler in rulers.items():
        values = np.array([ruler(head) for head in heads])
        groups = (values[gender < 0.5], values[gender >= 0.5])
        cells = [f"{g.mean():.1f} ± {g.std():.1f} | {m:.1f} ± {s:.1f}"
                 for g, (m, s) in zip(groups, PUBLISHED[name], strict=True)]  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
