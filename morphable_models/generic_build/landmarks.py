"""Places the 68 iBUG landmarks as vertices, from a table drawn on the base mesh's front view."""

import numpy as np

from .template import Template

# (x, y) in mm on the template for the subject's right half; the left half is its mirror image.
JAW = [(-72.5, 13), (-72.2, 0), (-70.5, -15), (-66.8, -31), (-61, -47), (-51.5, -66), (-38, -83),
       (-20, -95), (0, -98.5)]  # fmt: skip
BROW = [(-50, 24.0), (-44, 29.0), (-34.5, 31.2), (-24, 29.6), (-13, 26.5)]
BRIDGE = [(0, 18), (0, 6.5), (0, -5.5), (0, -18)]
NOSE_BASE = [(-13.0, -29.8), (-6.8, -32.5), (0, -35.0)]
EYE = [(-43.9, 13.5), (-38.3, 17.6), (-27.5, 17.7), (-20.0, 12.1), (-27.0, 9.6), (-38.0, 9.6)]
OUTER_UPPER = [(-26.2, -54.2), (-15.5, -46.2), (-6.0, -43.2), (0, -45.4)]
OUTER_LOWER = [(-15.5, -62.2), (-7.5, -65.3), (0, -66.0)]
INNER_UPPER = [(-23.0, -54.2), (-9.0, -53.5), (0, -54.0)]
INNER_LOWER = [(-9.0, -54.9), (0, -55.0)]


def place_landmarks(template: Template) -> np.ndarray:
    """Return the vertex (68,) of each landmark in iBUG's order."""
    upper = template.body & ~template.lower_lip
    lower = template.body & template.lower_lip
    anywhere = template.body & (template.masks["ears"] < 0.5)
    rim = anywhere & (np.abs(template.lid_distance) < 2.5)
    inner_eye_turn = [EYE[3], EYE[2], EYE[1], EYE[0], EYE[5], EYE[4]]
    runs = [
        (_mirrored(JAW), anywhere), (BROW, anywhere), (_flip(BROW)[::-1], anywhere),
        (BRIDGE, anywhere), (_mirrored(NOSE_BASE), anywhere), (EYE, rim),
        (_flip(inner_eye_turn), rim), (_mirrored(OUTER_UPPER), upper),
        (_mirrored(OUTER_LOWER)[::-1], lower), (_mirrored(INNER_UPPER), upper),
        (_mirrored(INNER_LOWER)[::-1], lower),
    ]  # fmt: skip
    return np.array([_nearest(template, point, among) for run, among in runs for point in run])


def _flip(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the mirror images of points."""
    return [(-x, y) for x, y in run]


def _mirrored(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a run that ends on the midline, followed by its mirror image."""
    return run + _flip(run[:-1])[::-1]


def _nearest(template: Template, point: tuple[float, float], among: np.ndarray) -> int:
    """Return the vertex facing the front that lies nearest a point (x, y) of the front view."""
    candidates = np.flatnonzero(among & (template.normals[:, 2] > 0.02) & template.front)
    gap = np.linalg.norm(template.points[candidates, :2] - point, axis=1)
    return int(candidates[np.argmin(gap - 0.05 * template.points[candidates, 2])])
