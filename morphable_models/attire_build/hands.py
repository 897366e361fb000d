"""Hands, posed by the bones of MakeHuman's rig, in a frame of their own: fingers up, palm to -z."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from generic_build.subdivide import triangulate
from scipy.spatial.transform import Rotation

from .body import Figure
from .piece import HAND, SKIN, Part, part, unit
from .shapes import cut

FOREARM_MM = 300.0  # How much of the forearm is kept below the palm's middle.
PALM_SHARE = 0.62  # The origin lies this far from the wrist to the middle knuckle.
FINGERS = (1, 2, 3, 4, 5)  # Thumb to little finger.


@dataclass(frozen=True)
class Pose:
    """How far each finger's three joints bend, and how far it spreads, in degrees.

    `wrist` bends the whole hand back; the thumb has an `opposed` turn towards the palm.
    """

    thumb: tuple[float, float, float] = (5.0, 10.0, 10.0)
    index: tuple[float, float, float] = (6.0, 10.0, 6.0)
    middle: tuple[float, float, float] = (6.0, 10.0, 6.0)
    ring: tuple[float, float, float] = (8.0, 12.0, 8.0)
    little: tuple[float, float, float] = (8.0, 12.0, 8.0)
    spread: float = 0.0
    opposed: float = 0.0

    def bends(self, finger: int) -> tuple[float, float, float]:
        """Return the bends of a finger, 1 the thumb."""
        return (self.thumb, self.index, self.middle, self.ring, self.little)[finger - 1]


CURLED = (78.0, 96.0, 62.0)
STRAIGHT = (-6.0, -10.0, -8.0)
FOLDED = (22.0, 38.0, 48.0)
POSES: Mapping[str, Pose] = {
    "open": Pose(spread=2.0),
    "spread": Pose(spread=9.0, thumb=(-8, 4, 2)),
    "fist": Pose(FOLDED, CURLED, CURLED, CURLED, CURLED, -3.0, 42.0),
    "pointing": Pose(FOLDED, STRAIGHT, CURLED, CURLED, CURLED, -2.0, 40.0),
    "peace": Pose((26, 42, 50), STRAIGHT, STRAIGHT, CURLED, CURLED, 8.0, 46.0),
    "grip": Pose((10, 22, 24), (46, 52, 30), (48, 54, 30), (50, 54, 30), (52, 54, 32), -1.0, 46.0),
    "hold": Pose((0, 8, 14), (24, 40, 24), (26, 42, 24), (28, 42, 24), (30, 42, 26), 0.0, 34.0),
    "flat": Pose((2, 4, 6), (20, 22, 12), (20, 24, 12), (22, 26, 14), (24, 28, 16), 1.0, 28.0),
}


@dataclass(frozen=True)
class Hand:
    """A hand and forearm at rest in its own frame: points, triangles, weights and bones' ends."""

    points: np.ndarray
    triangles: np.ndarray
    weights: Mapping[str, np.ndarray]
    bones: Mapping[str, np.ndarray]
    manly: np.ndarray


def read_hand(figure: Figure) -> Hand:
    """Return the left hand, turned so that fingers point up and the palm looks to -z."""
    turn, origin = _frame(figure)
    points = (figure.points - origin) @ turn.T
    names = [n for n in figure.weights if n.endswith(".L")]
    arm = sum(
        figure.weights[n] for n in names if n.startswith(("lowerarm", "wrist", "finger", "meta"))
    )
    quads = figure.base.quads["body"]
    kept = (arm[quads].min(1) > 0.3) & (points[quads][..., 1].max(1) > -FOREARM_MM - 20)
    used, local = np.unique(quads[kept], return_inverse=True)
    local = local.reshape(-1, 4)
    end = cut(triangulate(points[used], local, local), points[used][:, 1] + FOREARM_MM)
    weights = {n: end.operator @ figure.weights[n][used] for n in names if n[:6] == "finger"}
    bones = {n: (figure.bones[n] - origin) @ turn.T for n in names}
    manly = end.operator @ figure.manly[used] @ turn.T
    rest = end.operator @ points[used]
    return Hand(rest, end.triangles, weights, bones, manly - manly.mean(0))


def _frame(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """Return the rotation (3, 3) into the hand's frame, and its origin."""
    wrist = figure.bones["wrist.L"][0]
    knuckles = [figure.bones[f"finger{k}-1.L"][0] for k in (2, 3, 4, 5)]
    up = unit(np.mean(knuckles, axis=0) - wrist)
    across = unit(knuckles[0] - knuckles[-1])
    back = unit(np.cross(across, up))
    side = np.cross(up, back)
    return np.stack([side, up, back]), wrist + PALM_SHARE * (knuckles[1] - wrist)


def posed(hand: Hand, pose: Pose) -> np.ndarray:
    """Return the hand's points (P, 3) in a pose."""
    moved = hand.points.copy()
    for finger in FINGERS:
        moved += _bent(hand, pose, finger)
    return moved


def _bent(hand: Hand, pose: Pose, finger: int) -> np.ndarray:
    """Return what one finger's bend adds to the points (P, 3)."""
    names = [f"finger{finger}-{j}.L" for j in (1, 2, 3)]
    axis = _axis(hand, names[0], finger)
    matrix, shift = np.eye(3), np.zeros(3)
    added = np.zeros_like(hand.points)
    for joint, (name, bend) in enumerate(zip(names, pose.bends(finger), strict=True)):
        turn = Rotation.from_rotvec(np.radians(bend) * axis).as_matrix()
        if joint == 0:
            turn = turn @ _aside(pose, finger)
        pivot = hand.bones[name][0]
        shift = matrix @ (pivot - turn @ pivot) + shift
        matrix = matrix @ turn
        added += hand.weights[name][:, None] * (hand.points @ matrix.T + shift - hand.points)
    return added


def _axis(hand: Hand, name: str, finger: int) -> np.ndarray:
    """Return the axis about which a finger bends towards the palm."""
    along = unit(hand.bones[name][1] - hand.bones[name][0])
    palm = np.array([0.0, 0.0, -1.0])
    if finger == 1:
        palm = unit(np.array([-0.75 * np.sign(hand.bones["finger2-1.L"][0, 0]), 0.0, -0.65]))
    return unit(np.cross(along, palm))


def _aside(pose: Pose, finger: int) -> np.ndarray:
    """Return the rotation (3, 3) of a finger's root aside, and the thumb's before the palm."""
    if finger == 1:
        return Rotation.from_euler("y", pose.opposed, degrees=True).as_matrix()
    fan = {2: 1.0, 3: 0.25, 4: -0.5, 5: -1.3}[finger]
    return Rotation.from_euler("z", -fan * pose.spread, degrees=True).as_matrix()


def hand_part(hand: Hand, pose: Pose, size: float = 0.0, manly: float = 0.0) -> Part:
    """Return the skin of a hand in a pose; size in hundredths."""
    points = posed(hand, pose)
    points = (1 + size / 100) * points + manly * hand.manly
    shade = 1 - 0.12 * (hand.points[:, 2] < -6) * (points[:, 1] > -20)
    return part(points, hand.triangles, HAND, SKIN, shade=shade)
