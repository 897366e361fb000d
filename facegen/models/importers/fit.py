"""The generic head fitted to another mean head: where landmarks, parts and skin come from.

Rotation, translation and size first, then the generic model's own shape components, pulled to the
nearest surface points and to the landmarks that are known. Good to some millimetres on the face.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from facegen.errors import ModelError
from facegen.models.importers.surface import normals_of
from facegen.models.morphable_model import SEGMENTS, MorphableModel
from facegen.scene.alignment import Similarity, similarity

Float64 = NDArray[np.float64]

COMPONENTS = 60
RIGID_STEPS, SOFT_STEPS = 25, 12
FACE_RADIUS = 100.0  # mm around the landmarks' centre: what of the generic head is fitted
NOISE = 2.0  # mm: how far a surface point is trusted
LANDMARK_WEIGHT = 30.0
FEW = 6  # landmarks that settle rotation, translation and size
FEWEST_MATCHES = 50  # of the surface, without which the head stays where it is
PULL_MM = 20.0
JAW_LANDMARKS = 17  # the first ones lie on the jaw, each author's elsewhere: not pinned
# Where landmarks are found by the fit, they err by about the mark-up's own spread and the fit's RMS
# distance, as measured on ICT-FaceKit's heads (3 mm at 1.1 mm); more is refused.
MARKUP_MM, WORST_MM = 2.0, 7.0
GOOD_MM = 4.0  # RMS distance of fitted surfaces


@dataclass(frozen=True, eq=False)
class Fit:
    """The generic head's vertices (G, 3) in the other model's space, and how they came there."""

    points: Float64
    pose: Similarity
    rms: float

    @property
    def expected_error(self) -> float:
        """How far landmarks found by it are expected to lie off, mm."""
        return MARKUP_MM + self.rms

    @property
    def angle(self) -> float:
        """How far the other head is turned, degrees."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.pose.rotation) - 1) / 2, -1, 1))))


@dataclass(frozen=True, eq=False)
class Target:
    """Where surface points of the other head lie (N, 3), and their normals (N, 3)."""

    tree: cKDTree
    normals: Float64


class Pairs(NamedTuple):
    """Vertices of the generic head, the points where they should be, and how much each counts."""

    rows: NDArray[np.intp]
    points: Float64
    weights: Float64


@dataclass(frozen=True, eq=False)
class Goals:
    """What the generic head is pulled to: its `face` to the target, its pins to their anchors.

    face, pins: vertices of the generic head; normals (G, 3): its own; anchors (n, 3).
    """

    face: NDArray[np.intp]
    normals: Float64
    target: Target
    pins: NDArray[np.int32]
    anchors: Float64

    def pairs(self, head: Float64, pose: Similarity) -> Pairs:
        """The face's vertices that find a surface of like orientation nearby, and the pins."""
        placed = pose.apply(head[self.face])
        if not 0 < pose.scale < np.inf:
            raise ModelError("our head does not fit this one at all", "give --landmarks FILE")
        distance, nearest = self.target.tree.query(placed, workers=2)
        normals = self.normals[self.face] @ pose.rotation.T
        alike = (self.target.normals[nearest] * normals).sum(axis=1) > 0.5
        matched = alike & (distance < max(5.0, 2.5 * float(np.median(distance))))
        weights = np.full(len(self.pins), LANDMARK_WEIGHT)
        return Pairs(
            np.concatenate([self.face[matched], self.pins]),
            np.concatenate([self.target.tree.data[nearest][matched], self.anchors]),
            np.concatenate([np.ones(matched.sum()), weights]),
        )


def fit(
    generic: MorphableModel,
    points: Float64,
    triangles: NDArray[np.int32],
    landmarks: NDArray[np.int32] | None,
) -> Fit:
    """Fit the generic head to a mean head (V, 3) in mm, with its known landmarks (68,) or none.

    Vertices that no triangle uses have no say.
    """
    head = generic.mean_face.astype(np.float64)
    pinned = np.flatnonzero(landmarks >= 0) if landmarks is not None else np.empty(0, np.intp)
    anchors = points[landmarks[pinned]] if landmarks is not None else np.empty((0, 3))
    goals = Goals(
        _face(generic),
        normals_of(head, generic.triangles),
        _target(points, triangles),
        generic.landmarks[pinned],
        anchors,
    )
    pose = _start(head, goals, points[np.unique(triangles)])
    for _ in range(RIGID_STEPS):
        pose = _rigid_step(goals, head, pose)
    for _ in range(SOFT_STEPS):
        head = _soft_step(generic, goals, head, pose)
        pose = _rigid_step(goals, head, pose)
    placed = pose.apply(head)
    rms = _rms(placed[goals.face], goals.target)
    inner = pinned >= JAW_LANDMARKS
    return Fit(_pinned(placed, placed[goals.pins[inner]], anchors[inner]), pose, rms)


def _pinned(points: Float64, pins: Float64, anchors: Float64) -> Float64:
    """The points with the pins on their anchors, a pull that fades within some centimetres."""
    if not len(pins):
        return points
    pins, first = np.unique(pins.round(3), axis=0, return_index=True)
    pull = RBFInterpolator(
        pins,
        anchors[first] - pins,
        kernel="gaussian",
        epsilon=1 / PULL_MM,
        degree=-1,
        smoothing=0.1,
    )
    return np.asarray(points + pull(points))


def check(fit: Fit) -> str:
    """Words for how good the fit is; refused where it is no head."""
    if not fit.expected_error <= WORST_MM or not 0.5 < fit.pose.scale < 2:
        raise ModelError(
            f"our head does not fit this one (RMS distance {fit.rms:.1f} mm, size ratio "
            f"{fit.pose.scale:.2f}), so its landmarks are not known to {WORST_MM:.0f} mm",
            "give them with --landmarks FILE",
        )
    quality = "good" if fit.rms < GOOD_MM else "rough"
    return f"our head fits its face with an RMS distance of {fit.rms:.1f} mm ({quality})"


def _target(points: Float64, triangles: NDArray[np.int32]) -> Target:
    """Vertices and the centres of triangles, with normals."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    faces /= np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
    centres, used = (a + b + c) / 3, np.unique(triangles)
    return Target(
        cKDTree(np.concatenate([points[used], centres])),
        np.concatenate([normals_of(points, triangles)[used], faces]),
    )


def _face(generic: MorphableModel) -> NDArray[np.intp]:
    """Some three thousand vertices of the generic face's outside, evenly taken."""
    outside = np.isin(
        generic.segmentation, [SEGMENTS.index(name) for name in ("skin", "lips", "brows")]
    )
    centre = generic.mean_face[generic.landmarks[17:]].mean(axis=0)
    near = np.linalg.norm(generic.mean_face - centre, axis=1) < FACE_RADIUS
    front = normals_of(generic.mean_face.astype(np.float64), generic.triangles)[:, 2] > 0.1
    face = np.flatnonzero(outside & near & front)
    return face[:: max(1, len(face) // 3000)]


def _start(head: Float64, goals: Goals, points: Float64) -> Similarity:
    """By landmarks if there are enough, else nose tip on nose tip, upright and of equal size."""
    if len(goals.anchors) >= FEW:
        return similarity(head[goals.pins], goals.anchors)
    shift = nose_tip(points) - nose_tip(head)
    return Similarity(np.eye(3), shift, 1.0)


def nose_tip(points: Float64) -> Float64:
    """The foremost point near the middle of the head's width."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = np.abs(points[:, 0] - (low[0] + high[0]) / 2) < 0.1 * (high[0] - low[0]) + 1e-9
    candidates = points[middle] if middle.any() else points
    return np.asarray(candidates[candidates[:, 2].argmax()])


def _rigid_step(goals: Goals, head: Float64, pose: Similarity) -> Similarity:
    pairs = goals.pairs(head, pose)
    if len(pairs.rows) - len(goals.pins) < FEWEST_MATCHES:
        return pose
    return similarity(head[pairs.rows], pairs.points, pairs.weights)


def _soft_step(generic: MorphableModel, goals: Goals, head: Float64, pose: Similarity) -> Float64:
    """The head of the generic shape coefficients that best meet the matches, a ridge on them."""
    rows, points, weights = goals.pairs(head, pose)
    goal = (points - pose.shift) @ pose.rotation / pose.scale
    trust = weights / NOISE**2
    components = generic.shape.leading(COMPONENTS)
    basis = components.at(rows.astype(np.int32)).basis.astype(np.float64)
    offset = (goal - generic.mean_face[rows]).reshape(-1)
    weighted = basis * np.repeat(trust, 3)
    # Neighbouring points err together: a tenth of them count as independent.
    normal_matrix = weighted @ basis.T / 10 + np.eye(len(basis))
    coefficients = np.linalg.solve(normal_matrix, weighted @ offset / 10)
    moved = components.evaluate(coefficients[None].astype(np.float32))[0] + generic.expression.mean
    return np.asarray(moved, np.float64)


def _rms(points: Float64, target: Target) -> float:
    """RMS distance of the nearer nine tenths of the points to the surface."""
    distance = np.sort(target.tree.query(points, workers=2)[0])
    return float(np.sqrt(np.square(distance[: len(distance) * 9 // 10]).mean()))
