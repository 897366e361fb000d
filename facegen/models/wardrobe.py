"""The pieces of attire fitted to one face model: moved onto its mean face, bound to its surface."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8
from scipy.spatial import cKDTree

from facegen.files import Array
from facegen.models.attire import BINDINGS, SKIN, Library, Piece
from facegen.models.morphable_model import SEGMENTS, LinearModel, MorphableModel
from facegen.scene.alignment import similarity

ANCHOR_MM = 9.0  # One vertex of the surface for each cube of this side.
NEAREST = 4
STILL = 0.08  # Hair hangs on what moves less than this share of what moves most,
LEAST_STILL = 0.1  # or on this share of the anchors, where more than the others move so much.
REACH_MM = 60.0
AFFINE_MM = 30.0
CLOSE_MM = 0.1
MOVING = ("eyes", "teeth", "mouth")
NECK = np.array([0.0, -140.0, -40.0], np.float32)  # About which shoulders turn.
# Skin of the body within a head's neck lies so much deeper, this far from its rim.
SUNK_MM, RIM_MM, WITHIN_MM = 5.0, 16.0, 8.0


class Pieces(NamedTuple):
    """All pieces one after the other, as kernels take them.

    starts (n + 1) of their vertices and triangles; binding: number in BINDINGS; near, weight: the
    anchors a vertex follows; frame (n, 4, A): what makes an affine map of the anchors'
    displacements, for pieces worn stiffly.
    """

    vertex_start: Int64[Array, "n+1"]
    triangle_start: Int64[Array, "n+1"]
    binding: UInt8[Array, "n"]
    points: Float32[Array, "P 3"]
    offsets: Float32[Array, "V P 3"]
    slot: UInt8[Array, "P"]
    shade: Float32[Array, "P"]
    strand: Float32[Array, "P 3"]
    tangent: Float32[Array, "P 3"]
    near: Int32[Array, "P 4"]
    weight: Float32[Array, "P 4"]
    frame: Float32[Array, "n 4 A"]
    triangles: Int32[Array, "T 3"]
    segment: UInt8[Array, "T"]
    material: UInt8[Array, "T"]
    under_hat: UInt8[Array, "T"]


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """Pieces on a model's mean face, the anchors that they follow, and where shoulders turn."""

    pieces: Pieces
    anchors: LinearModel
    neck: Float32[Array, "3"]


def fit_wardrobe(library: Library, model: MorphableModel) -> Wardrobe:
    """The library's pieces fitted to a model."""
    vertices = _anchor_vertices(model)
    anchors = model.geometry.at(vertices)
    moves = _stillness(model)[vertices]
    fit = _Fit(library, model, anchors.mean, moves <= max(STILL, np.quantile(moves, LEAST_STILL)))
    fitted = [fit.piece(piece) for piece in library.pieces]
    columns = {
        name: np.concatenate([one[name] for one in fitted], axis=int(name == "offsets"))
        for name in fitted[0]
    }
    vertices_of = [len(piece.points) for piece in library.pieces]
    triangles_of = [len(piece.triangles) for piece in library.pieces]
    pieces = Pieces(
        vertex_start=_starts(vertices_of), triangle_start=_starts(triangles_of), **columns
    )
    return Wardrobe(pieces, anchors, fit.neck)


class _Fit:
    """How pieces come from the face they are modelled around to another model's mean."""

    def __init__(
        self,
        library: Library,
        model: MorphableModel,
        anchors: Float32[Array, "A 3"],
        still: Bool[Array, "A"],
    ) -> None:
        self._anchors, self._still = anchors, np.flatnonzero(still)
        self._source = library.landmarks.astype(np.float64)
        target = model.mean_face[model.landmarks].astype(np.float64)
        self._similarity = similarity(self._source, target)
        self._residual = target - self._similarity.apply(self._source)
        self._head = cKDTree(model.mean_face[np.unique(model.triangles)])
        self._rim = cKDTree(model.mean_face[_rim(model.triangles)])
        self.neck = self.moved(NECK[None])[0]

    def moved(self, points: Float32[Array, "P 3"]) -> Float32[Array, "P 3"]:
        """Points moved as the landmarks are: by a similarity, and near the face what is left."""
        moved = self._similarity.apply(points.astype(np.float64))
        if np.abs(self._residual).max() > CLOSE_MM:
            distances = np.linalg.norm(points[:, None] - self._source, axis=2)
            near = np.exp(-0.5 * (distances / REACH_MM) ** 2)
            moved += near @ self._residual / (near.sum(axis=1, keepdims=True) + 0.5)
        return moved.astype(np.float32)

    def _sink(self, points: Float32[Array, "P 3"], skin: Int64[Array, "s"]) -> None:
        """Push skin that lies near the head to the neck's axis, in place: heads turn and vary."""
        scale = self._similarity.scale
        within = self._head.query(points[skin])[0] < WITHIN_MM * scale
        share = np.clip(self._rim.query(points[skin])[0] / (RIM_MM * scale), 0, 1) * within
        inwards = self.neck - points[skin]
        inwards[:, 1] = 0
        inwards /= np.linalg.norm(inwards, axis=1, keepdims=True).clip(1)
        points[skin] += (SUNK_MM * scale * share**2 * (3 - 2 * share))[:, None] * inwards

    def piece(self, piece: Piece) -> dict[str, Array]:
        """The columns of Pieces that one piece fills."""
        free = piece.binding == "free"
        points = piece.points if free else self.moved(piece.points)
        if piece.binding == "body":
            self._sink(points, np.unique(piece.triangles[piece.material == SKIN]))
        allowed = self._still if piece.kind == "hair" else np.arange(len(self._anchors))
        near, weight = nearest(points, self._anchors[allowed])
        affine = piece.binding == "affine"
        frame = affine_frame(points, self._anchors) if affine else np.zeros((4, len(self._anchors)))
        return {
            "binding": np.array([BINDINGS.index(piece.binding)], np.uint8),
            "points": points,
            "offsets": piece.offsets,
            "slot": piece.slot,
            "shade": piece.shade,
            "strand": piece.strand,
            "tangent": tangents(points, piece.triangles, piece.strand[:, 1]),
            "near": allowed[near].astype(np.int32),
            "weight": weight,
            "frame": frame.astype(np.float32)[None],
            "triangles": piece.triangles,
            "segment": piece.segment,
            "material": piece.material,
            "under_hat": piece.under_hat.astype(np.uint8),
        }


def nearest(
    points: Float32[Array, "P 3"], anchors: Float32[Array, "A 3"]
) -> tuple[Int64[Array, "P 4"], Float32[Array, "P 4"]]:
    """The nearest anchors of each point, and how much it follows each."""
    distances, near = cKDTree(anchors).query(points, NEAREST)
    weight = 1 / (distances + ANCHOR_MM) ** 2
    return near, (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)


def affine_frame(
    points: Float32[Array, "P 3"], anchors: Float32[Array, "A 3"]
) -> Float64[Array, "4 A"]:
    """What makes of the anchors' displacements the affine map that fits those near the points."""
    used = cKDTree(points).query(anchors)[0] < AFFINE_MM
    known = np.column_stack([anchors[used], np.ones(np.count_nonzero(used))]).astype(np.float64)
    frame = np.zeros((4, len(anchors)))
    frame[:, used] = np.linalg.pinv(known)
    return frame


def tangents(
    points: Float32[Array, "P 3"], triangles: Int32[Array, "T 3"], along: Float32[Array, "P"]
) -> Float32[Array, "P 3"]:
    """The unit direction in which `along` grows on the surface, at each vertex."""
    a, b, c = points[triangles].transpose(1, 0, 2).astype(np.float64)
    t = along[triangles].astype(np.float64)
    normal = np.cross(b - a, c - a)
    scale = 1 / np.square(normal).sum(axis=1, keepdims=True).clip(1e-12)
    rise = (t[:, 1:2] - t[:, :1]) * np.cross(normal, c - a)
    rise = -(rise - (t[:, 2:] - t[:, :1]) * np.cross(normal, b - a)) * scale
    total = np.zeros(points.shape)
    for corner in range(3):
        np.add.at(total, triangles[:, corner], rise)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return (total / np.where(length > 0, length, 1)).astype(np.float32)


def _anchor_vertices(model: MorphableModel) -> Int64[Array, "A"]:
    """A vertex of the skin for each small cube of space."""
    used = np.unique(model.triangles)
    moving = [SEGMENTS.index(name) for name in MOVING]
    used = used[~np.isin(model.segmentation[used], moving)]
    cubes = np.floor(model.mean_face[used] / ANCHOR_MM).astype(np.int64)
    return np.asarray(used[np.unique(cubes, axis=0, return_index=True)[1]])


def _rim(triangles: Int32[Array, "F 3"]) -> Int64[Array, "r"]:
    """The vertices on edges that only one triangle has."""
    edges = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    found, counts = np.unique(edges, axis=0, return_counts=True)
    return np.unique(found[counts == 1]).astype(np.int64)


def _stillness(model: MorphableModel) -> Float32[Array, "V"]:
    """How far expressions move each vertex, the most moved one being 1."""
    squares = np.square(model.expression.basis).sum(axis=0).reshape(-1, 3).sum(axis=1)
    return np.asarray(np.sqrt(squares / squares.max(initial=1e-12)))


def _starts(counts: list[int]) -> Int64[Array, "n+1"]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
