"""Places the 68 iBUG landmarks as vertices, by what the mark-up says of each.

The contour runs along the edge of the face from the ears, at the height of the eyes, along the
jaw's lower border to the chin, in steps of equal length in the front view. Brows are marked along
their upper edge from end to end; 27 to 30 divide the nose's ridge; 31 to 35 its base; eyes from
where the lids meet, with the lids' thirds between; lips along the vermilion's outer border and,
60 to 67, along its inner one (Sagonas et al., 300 Faces in-the-Wild Challenge, 2016).
"""

import numpy as np

from .template import Template

# (x, y, z) in mm on the template: the edge of the face on the subject's right, ear to chin.
CONTOUR = [(-71.0, 15, 42), (-71.0, 0, 40), (-69.0, -18, 41), (-66.0, -32, 46), (-63.0, -43, 49),
           (-59.0, -51, 50), (-54.5, -60, 54), (-49.0, -69, 60), (-42.0, -78, 72),
           (-34.0, -86, 84), (-20.0, -95, 99), (-10.0, -97.5, 105), (0, -98, 107)]  # fmt: skip
# (x, y) in the front view for the subject's right half; the left half is its mirror image.
BROW = [(-57.0, 24.0), (-48.5, 30.8), (-37.0, 33.4), (-24.5, 31.4), (-12.6, 28.0)]
BRIDGE = [(0, 15.5), (0, 5.0), (0, -5.4), (0, -19.9)]
NOSE_BASE = [(-13.0, -29.8), (-6.8, -32.0), (0, -33.5)]
EYE = [(-43.4, 13.5), (-36.0, 17.9), (-27.0, 17.6), (-18.0, 11.9), (-26.5, 9.4), (-35.5, 9.4)]
CORNER, INNER_CORNER = (-26.4, -54.2), (-23.4, -54.3)
OUTER_UPPER = [(-17.2, -46.0), (-6.2, -43.3), (0, -45.3)]
OUTER_LOWER = [(-15.8, -62.2), (-6.2, -65.0), (0, -65.7)]
INNER_UPPER = [(-6.0, -53.2), (0, -53.6)]
INNER_LOWER = [(-6.5, -55.2), (0, -55.4)]
HALF_CONTOUR = 9


def place_landmarks(template: Template, head: np.ndarray) -> np.ndarray:
    """Return the vertex (68,) of each landmark in iBUG's order; head (V, 3): a typical one."""
    lips = template.body & (template.points[:, 2] > 100)
    outside = template.body & template.front
    skin = outside & (template.masks["ears"] < 0.5)
    upper, lower = outside & ~template.lower_lip, outside & template.lower_lip
    rim = skin & (np.abs(template.lid_distance) < 3.0)
    inner_eye_turn = [EYE[3], EYE[2], EYE[1], EYE[0], EYE[5], EYE[4]]
    runs = [
        (BROW, skin), (_flip(BROW)[::-1], skin), (BRIDGE, skin), (_mirrored(NOSE_BASE), skin),
        (EYE, rim), (_flip(inner_eye_turn), rim), ([CORNER], lips),
        (_mirrored(OUTER_UPPER), upper), (_flip([CORNER]), lips),
        (_mirrored(OUTER_LOWER)[::-1], lower), ([INNER_CORNER], lips),
        (_mirrored(INNER_UPPER), upper), (_flip([INNER_CORNER]), lips),
        (_mirrored(INNER_LOWER)[::-1], lower),
    ]  # fmt: skip
    inner = [_nearest(template, point, among) for run, among in runs for point in run]
    return np.concatenate([_contour(template, head, skin), inner])


def _contour(template: Template, head: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Return the contour's vertices (17,): equal steps along the edge of a typical face."""
    among = np.flatnonzero(skin)
    edge = np.array([_closest(template.points, place, among) for place in CONTOUR])
    step = np.linalg.norm(np.diff(head[edge, :2], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(step)])
    stops = np.linspace(0.0, along[-1], HALF_CONTOUR)
    places = np.column_stack([np.interp(stops, along, head[edge, k]) for k in range(3)])
    return np.array(
        [_closest(head, place, among) for place in places]
        + [_closest(head, place * [-1, 1, 1], among) for place in places[-2::-1]]
    )


def _closest(points: np.ndarray, place: np.ndarray, among: np.ndarray) -> int:
    """Return the vertex among some that lies nearest to a place."""
    return int(among[np.linalg.norm(points[among] - place, axis=1).argmin()])


def _flip(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the mirror images of points."""
    return [(-x, y) for x, y in run]


def _mirrored(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a run that ends on the midline, followed by its mirror image."""
    return run + _flip(run[:-1])[::-1]


def _nearest(template: Template, point: tuple[float, float], among: np.ndarray) -> int:
    """Return the vertex facing the front that lies nearest a point (x, y) of the front view."""
    candidates = np.flatnonzero(among & (template.normals[:, 2] > 0.02))
    gap = np.linalg.norm(template.points[candidates, :2] - point, axis=1)
    return int(candidates[np.argmin(gap - 0.05 * template.points[candidates, 2])])
