"""Errors of estimated shapes: of the face and its parts, however they are aligned.

The face is what NoW measures (Sanyal et al., CVPR 2019): all within 0.7 times (the outer eye
distance + the length of the nose) of the nose's tip. Its parts are aligned each by itself, as REALY
(Chai et al., ECCV 2022) does.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64
from scipy.spatial import cKDTree

from facegen.files import Array
from facegen.learning.metrics import vertex_distance
from facegen.models.morphable_model import SEGMENTS, MorphableModel
from facegen.scene.alignment import rigidly_aligned, similarity, similarly_aligned

NOSE_TIP, NOSE, EYES = 30, (27, 33), (36, 45)
REACH, ROOM = 0.7, 1.4
MOST_AROUND = 12  # Triangles of a vertex that are looked at; poles of eyeballs have more.
SCANNED = 1000  # Points of a face from which its surface is measured.
NOT_FACE = ("ears", "neck", "scalp", "teeth", "mouth", "eyes")
# Landmarks whose surroundings are a part of the face.
PARTS = {
    "nose": range(27, 36),
    "mouth": range(48, 68),
    "brow": [*range(17, 27), *range(36, 48)],
    "cheek": range(17),
}
Points = Float[Array, "N V 3"]
Errors = dict[str, Float64[Array, "N"]]


@dataclass(frozen=True, eq=False)
class Regions:
    """Vertices of a model's face, and of its parts by name.

    scan: some of the face's, spread over it; near: those that any of them can lie next to, and the
    triangles around each of these.
    """

    face: Int64[Array, "F"]
    parts: dict[str, Int64[Array, "P"]]
    scan: Int64[Array, "S"]
    near: Int64[Array, "n"]
    around: Int64[Array, "n k 3"]


def regions_of(model: MorphableModel) -> Regions:
    """The face of a model and its parts, as they lie on its mean face."""
    points, marks = model.mean_face, model.mean_face[model.landmarks]
    reach = REACH * sum(np.linalg.norm(marks[a] - marks[b]) for a, b in (EYES, NOSE))
    distance = np.linalg.norm(points - marks[NOSE_TIP], axis=1)
    skin = ~np.isin(model.segmentation, [SEGMENTS.index(name) for name in NOT_FACE])
    face = np.flatnonzero((distance < reach) & skin)
    nearest = cKDTree(marks).query(points[face])[1]
    parts = {name: face[np.isin(nearest, list(group))] for name, group in PARTS.items()}
    near = np.flatnonzero(distance < ROOM * reach)
    around = triangles_around(model.triangles, len(points))[near]
    return Regions(face, parts, face[:: max(1, len(face) // SCANNED)], near, around)


def triangles_around(triangles: Array, vertices: int) -> Int64[Array, "V k 3"]:
    """The triangles of each vertex, some of them twice so that all have as many."""
    corners = triangles.ravel()
    order = np.argsort(corners, kind="stable")
    counts = np.bincount(corners, minlength=vertices)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    most = min(MOST_AROUND, int(counts.max()))
    slots = np.arange(most)[None] % np.maximum(counts, 1)[:, None]
    rows = order[np.minimum(first[:, None] + slots, len(order) - 1)] // 3
    return np.asarray(triangles[rows], np.int64)


def shape_errors(points: Points, truth: Points, regions: Regions) -> Errors:
    """Mean distances in mm, of the whole head, the face and its parts.

    As they are, rigidly aligned, and with scale; scan_to_mesh: from the true face to the estimated
    surface, after an alignment with scale by the face.
    """
    face, goal = points[:, regions.face], truth[:, regions.face]
    fitted = similarly_aligned(face, goal)
    errors = {
        "geometric": vertex_distance(points, truth),
        "geometric_aligned": vertex_distance(rigidly_aligned(points, truth), truth),
        "geometric_similar": vertex_distance(similarly_aligned(points, truth), truth),
        "face": vertex_distance(face, goal),
        "face_aligned": vertex_distance(rigidly_aligned(face, goal), goal),
        "face_similar": vertex_distance(fitted, goal),
        "scan_to_mesh": scan_to_mesh(points, truth, regions),
    }
    for name, part in regions.parts.items():
        if len(part) > 3:
            aligned = similarly_aligned(points[:, part], truth[:, part])
            errors[name] = vertex_distance(aligned, truth[:, part])
    return errors


def scan_to_mesh(points: Points, truth: Points, regions: Regions) -> Float64[Array, "N"]:
    """The mean distance from each true face to the estimated surface, which is fitted onto it."""
    distances = []
    for estimate, goal in zip(points, truth, strict=True):
        scan = goal[regions.scan].astype(np.float64)
        moved = _fitted(estimate.astype(np.float64), goal, regions.face)
        nearest = cKDTree(moved[regions.near]).query(scan)[1]
        corners = moved[regions.around[nearest]]
        distances.append(distance_to_triangles(scan[:, None], corners).min(axis=1).mean())
    return np.array(distances)


def _fitted(estimate: Array, goal: Array, face: Int64[Array, "F"]) -> Array:
    return similarity(estimate[face], goal[face].astype(np.float64)).apply(estimate)


def distance_to_triangles(
    points: Float64[Array, "P 1 3"], corners: Float64[Array, "P k 3 3"]
) -> Float64[Array, "P k"]:
    """From each point to each of its triangles: to its plane, or, not being over it, an edge."""
    a, b, c = (corners[..., i, :] for i in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=-1).clip(1e-12)
    plane = np.abs(((points - a) * normal).sum(-1)) / length
    edges = [(a, b), (b, c), (c, a)]
    over = np.ones(plane.shape, bool)
    for start, end in edges:
        over &= (np.cross(end - start, points - start) * normal).sum(-1) >= 0
    along = np.stack([_to_segment(points, start, end) for start, end in edges]).min(axis=0)
    inside: Bool[Array, "P k"] = over & (length > 1e-9)
    return np.asarray(np.where(inside, plane, along))


def _to_segment(points: Array, start: Array, end: Array) -> Array:
    step = end - start
    share = ((points - start) * step).sum(-1) / np.square(step).sum(-1).clip(1e-12)
    nearest = start + share.clip(0, 1)[..., None] * step
    return np.asarray(np.linalg.norm(points - nearest, axis=-1))
