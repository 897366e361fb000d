"""Neck, shoulders and clothes below the head, so that it does not float in the image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegen.models.morphable_model import MorphableModel
from facegen.scene.cameras import rotation_matrix

from .randomness import Random

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

# Rings below the neck's rim: mm below it, half width and half depth in mm, and how far the ring
# follows the body rather than the head. The first two are skin, the others clothes.
RINGS = np.array(
    [
        (0, 0, 0, 0.0),
        (10, 66, 62, 0.35),
        (8, 70, 67, 0.4),
        (20, 82, 74, 0.7),
        (32, 115, 80, 0.9),
        (55, 175, 92, 1.0),
        (90, 210, 105, 1.0),
        (300, 225, 120, 1.0),
    ]
)
SKIN_RINGS = 2
SHOULDERS_BELOW_MM, SHOULDERS_BEHIND_MM = 135.0, 18.0


@dataclass(frozen=True, eq=False)
class Surface:
    """A coloured mesh: vertices (V, 3) in mm, triangles (F, 3), display-referred colours (V, 3)."""

    vertices: Float64
    triangles: Int32
    colours: Float64


def neck_rim(model: MorphableModel) -> Int32:
    """The vertices (L,) along the lowest open edge of the model, in order."""
    corners = model.triangles.astype(np.int64)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    names = np.sort(edges, axis=1) @ [model.vertices, 1]
    _, inverse, counts = np.unique(names, return_inverse=True, return_counts=True)
    following = dict(edges[counts[inverse] == 1].tolist())
    loop = [min(following, key=lambda vertex: model.mean_face[vertex, 1])]
    while following[loop[-1]] != loop[0]:
        loop.append(following[loop[-1]])
    return np.array(loop, np.int32)


def draw_body(rim: Float64, colours: Float64, yaw: float, head: Float64, rng: Random) -> Surface:
    """Shoulders that hang from the rim (L, 3), turned half as far as a head at `head` (3,)."""
    turn = rotation_matrix(np.array([0, 0.5 * yaw + rng.normal(0, 0.1), 0]))
    offsets = (rim - rim.mean(axis=0)) @ turn
    angle = np.arctan2(offsets[:, 2], offsets[:, 0])
    drop, width, depth, share = RINGS.T[:, :, None]
    ellipse = np.stack(
        np.broadcast_arrays(width * np.cos(angle), 0, depth * np.sin(angle)), axis=-1
    )
    neck = head - [0, SHOULDERS_BELOW_MM, SHOULDERS_BEHIND_MM]
    hanging, standing = (np.array([0, -1, 0]) * drop[..., None] + p for p in (rim[None], neck))
    rings = (1 - share[..., None]) * hanging + share[..., None] * (standing + ellipse @ turn.T)
    return Surface(rings.reshape(-1, 3), _strips(len(RINGS), len(rim)), _clothes(colours, rng))


def _clothes(skin: Float64, rng: Random) -> Float64:
    """Colours (R L, 3): the rim's skin, and below it one cloth."""
    cloth = np.clip(rng.uniform(0.08, 0.8) + rng.normal(0, 0.07, 3), 0.03, 0.8)
    below = np.broadcast_to(cloth, ((len(RINGS) - SKIN_RINGS) * len(skin), 3))
    return np.concatenate([*[skin] * SKIN_RINGS, below])


def _strips(rings: int, length: int) -> Int32:
    """Triangles between neighbouring rings of `length` vertices."""
    ring, step = np.mgrid[: rings - 1, :length].reshape(2, -1)
    a, b = ring * length + step, ring * length + (step + 1) % length
    c, d = a + length, b + length
    # The rim runs as its triangles do, so these run against it.
    return np.concatenate([np.stack([b, a, c], 1), np.stack([b, c, d], 1)]).astype(np.int32)
