"""Cuts the head out of the base mesh and refines it: one linear map from base to model points."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .source import BaseMesh
from .subdivide import loop_step, midpoint_step, triangulate

NECK_CUT_MM = 590.0  # Body faces wholly above this tilted plane of the base mesh are kept;
NECK_CUT_SLOPE = 0.35  # this one follows an edge loop, so that the cut is smooth.
ARM_MM, FEET_MM = 120.0, 520.0
EYE_SEGMENTS = 48
# Close rings bound the pupil (7.6 degrees, 2 mm) and the iris (23.6 degrees, 6 mm).
EYE_RINGS_DEG = np.array(
    [
        *(3.5, 7.0, 8.2, 11, 14, 17, 20, 21.8, 23.0, 24.2, 25.6, 28, 31, 34, 38),
        *(42, 47, 52, 58, 65, 75, 90, 115, 145),
    ]
)
EYE_SCALE = (
    0.965  # Of MakeHuman's eyeballs, which fill their lids: a turn, linear, makes them grow.
)
TEETH = ("helper-upper-teeth", "helper-lower-teeth")
TONGUE = "helper-tongue"
TONGUE_SCALE = 0.64  # The helper fills the mouth; about its root this much of it is left.
TEETH_SCALE = 0.87
TEETH_DROP = {TEETH[0]: 0.29, TEETH[1]: 0.0}  # Share of a row's height;
TEETH_INSET = 0.07  # of its depth.
REFINEMENTS = {"body": 1, TEETH[0]: 2, TEETH[1]: 2, TONGUE: 1}
EYES = ("helper-r-eye", "helper-l-eye")


@dataclass(frozen=True)
class HeadMesh:
    """The model's mesh: operator (V, N) from base points, cells (F, 3), source group (V,).

    `eye_angle` (V,) is the angle from the gaze on the eyeballs in radians, else not a number.
    `texture` (M, 2) are MakeHuman's texture coordinates, `texture_cells` (F, 3) those of triangles.
    """

    operator: sp.csr_matrix
    cells: np.ndarray
    group: np.ndarray
    eye_angle: np.ndarray
    texture: np.ndarray
    texture_cells: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Map base displacements or points (N, 3) to the model's vertices (V, 3)."""
        return self.operator @ points

    def of(self, *groups: str) -> np.ndarray:
        """Return the mask (V,) of vertices from the named groups."""
        return np.isin(self.group, groups)


@dataclass(frozen=True)
class _Piece:
    """One part of the mesh before assembly; `angle` is the polar angle on eyeballs in radians."""

    operator: sp.csr_matrix
    cells: np.ndarray
    name: str
    angle: np.ndarray
    texture: np.ndarray
    texture_cells: np.ndarray


def build_mesh(base: BaseMesh) -> HeadMesh:
    """Return head, teeth and tongue refined once by Loop's scheme, with finer eyeballs."""
    pieces = [_refined(base, name) for name in REFINEMENTS]
    pieces += [_eyeball(base, name) for name in EYES]
    offsets = np.cumsum([0] + [p.operator.shape[0] for p in pieces])
    places = np.cumsum([0] + [len(p.texture) for p in pieces])
    return HeadMesh(
        sp.vstack([p.operator for p in pieces]).tocsr(),
        np.vstack([p.cells + o for p, o in zip(pieces, offsets, strict=False)]),
        np.concatenate([[p.name] * p.operator.shape[0] for p in pieces]),
        np.concatenate([p.angle for p in pieces]),
        np.vstack([p.texture for p in pieces]),
        np.vstack([p.texture_cells + o for p, o in zip(pieces, places, strict=False)]),
    )


def _kept(base: BaseMesh, name: str) -> np.ndarray:
    """Return which quads (Q,) of a group are the head's: of the body those above the neck's cut."""
    corners = base.points[base.quads[name]]
    if name != "body":
        return np.ones(len(corners), dtype=bool)
    height = corners[..., 1] + NECK_CUT_SLOPE * (corners[..., 2] - 20.0)
    above = (height.min(1) > NECK_CUT_MM) & (corners[..., 1].min(1) > FEET_MM)
    return above & (abs(corners[..., 0]).max(1) < ARM_MM)


def _refined(base: BaseMesh, name: str) -> _Piece:
    """Return a group of quads as triangles after its steps of Loop subdivision."""
    kept = _kept(base, name)
    quads, corners = base.quads[name][kept], base.corners[name][kept]
    used, local = np.unique(quads, return_inverse=True)
    points, local = base.points[used], local.reshape(quads.shape)
    cells = triangulate(points, local, local)
    coords, flat = np.unique(corners, return_inverse=True)
    texture, texture_cells = (
        base.coords[coords],
        triangulate(points, local, flat.reshape(quads.shape)),
    )
    operator = sp.identity(len(base.points), format="csr")[used]
    for _ in range(REFINEMENTS[name]):
        step, cells = loop_step(cells, operator.shape[0])
        operator = (step @ operator).tocsr()
        texture, texture_cells = midpoint_step(texture, texture_cells)
    operator = _placed(points, operator, used, name)
    angle = np.full(operator.shape[0], np.nan)
    return _Piece(operator, cells, name, angle, texture, texture_cells)


def _placed(
    points: np.ndarray, operator: sp.csr_matrix, used: np.ndarray, name: str
) -> sp.csr_matrix:
    """Return the operator of tongue or teeth, moved to where they belong in the mouth."""
    size = operator.shape[1]
    if name == TONGUE:  # Shrink towards the root, low and far back.
        root = _mean_of(used[np.argsort(points[:, 2] + 0.5 * points[:, 1])[:12]], size)
        return _plus_row(TONGUE_SCALE * operator, (1 - TONGUE_SCALE) * root)
    if name in TEETH:  # Keep the rows off cheeks and lips, and the incisors' edge below the lip.
        drop = TEETH_DROP[name] * _spread(points[:, 1], used, size)
        inset = TEETH_INSET * _spread(points[:, 2], used, size)
        middle = (1 - TEETH_SCALE) * _mean_of(used, size)
        return _plus_row(TEETH_SCALE * operator, middle + drop + inset)
    return operator


def _spread(values: np.ndarray, vertices: np.ndarray, size: int) -> np.ndarray:
    """Return the row (1, N) that takes the vertices' highest end to their lowest, by `values`."""
    order = vertices[np.argsort(values)]
    return _mean_of(order[:8], size) - _mean_of(order[-8:], size)


def _mean_of(vertices: np.ndarray, size: int) -> np.ndarray:
    """Return the row (1, N) that averages some base vertices."""
    row = np.zeros((1, size))
    row[0, vertices] = 1 / len(vertices)
    return row


def _plus_row(operator: sp.csr_matrix, row: np.ndarray) -> sp.csr_matrix:
    """Return an operator with the same row added to each of its rows."""
    ones = sp.csr_matrix(np.ones((operator.shape[0], 1)))
    return (operator + ones @ sp.csr_matrix(row)).tocsr()


def _eyeball(base: BaseMesh, name: str) -> _Piece:
    """Return a fine sphere with rings at the pupil's and the iris's rim, fitted to the helper."""
    used = np.unique(base.quads[name])
    helper = base.points[used]
    centre = helper.mean(0)
    radius = np.linalg.norm(helper - centre, axis=1).mean()
    directions, cells = _sphere()
    weights = _with_one(EYE_SCALE * directions) @ np.linalg.pinv(
        _with_one((helper - centre) / radius)
    )
    select = sp.identity(len(base.points), format="csr")[used]
    operator = sp.csr_matrix(weights) @ select
    box = base.coords[np.unique(base.corners[name])]
    middle, half = (box.max(0) + box.min(0)) / 2, np.ptp(box, axis=0) / 2
    angle = np.arccos(directions[:, 2])
    # The ball lies flat in its box: the gaze in the middle, the angle from it as radius.
    around = directions[:, :2] / np.linalg.norm(directions[:, :2], axis=1, keepdims=True).clip(1e-9)
    texture = middle + half * (angle / np.pi)[:, None] * around
    return _Piece(operator.tocsr(), cells, name, angle, texture, cells)


def _with_one(points: np.ndarray) -> np.ndarray:
    """Return points (n, 3) in homogeneous coordinates (n, 4)."""
    return np.column_stack([points, np.ones(len(points))])


def _sphere() -> tuple[np.ndarray, np.ndarray]:
    """Return unit directions (E, 3) and cells of a sphere made of rings around +z."""
    theta = np.radians(EYE_RINGS_DEG)[:, None]
    phi = np.arange(EYE_SEGMENTS) * 2 * np.pi / EYE_SEGMENTS
    x, y, z = np.broadcast_arrays(
        np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)
    )
    grid = np.stack([x, y, z], -1).reshape(-1, 3)
    return np.vstack([[0, 0, 1], grid, [0, 0, -1]]), _sphere_cells(len(theta))


def _sphere_cells(rings: int) -> np.ndarray:
    """Return the triangles between two poles, vertices first and last, and the rings between."""
    ring = 1 + np.arange(rings * EYE_SEGMENTS).reshape(rings, EYE_SEGMENTS)
    after = np.roll(ring, -1, axis=1)
    last = rings * EYE_SEGMENTS + 1
    front = np.stack([np.zeros_like(ring[0]), ring[0], after[0]], 1)
    back = np.stack([np.full_like(ring[0], last), after[-1], ring[-1]], 1)
    a, b, c, d = ring[:-1].ravel(), ring[1:].ravel(), after[1:].ravel(), after[:-1].ravel()
    return np.vstack([front, np.stack([a, b, c], 1), np.stack([a, c, d], 1), back])
