"""Faces placed before a photograph's camera, by the landmarks found in it."""

import numpy as np
from jaxtyping import Float, Float64

from facegen.files import Array
from facegen.models.morphable_model import LANDMARKS, MorphableModel
from facegen.scene.cameras import rotation_matrix

# The lens of a photograph that does not say: 50 mm on a frame of 36 mm.
FOCAL_LENGTH = 50 / 36
INNER = np.arange(17, LANDMARKS)  # Landmarks that are vertices from every side.
ROUNDS = 8


def camera_matrix(width: int, height: int, focal_length: float | None) -> Float64[Array, "3 3"]:
    """K of a photograph whose lens is so many times its longer side, if that is known."""
    f = (focal_length or FOCAL_LENGTH) * max(width, height)
    return np.array([[f, 0, width / 2], [0, f, height / 2], [0, 0, 1]])


def placed(
    model: MorphableModel,
    theta: Float[Array, "m"],
    landmarks: Float[Array, "68 2"],
    K: Float64[Array, "3 3"],
) -> Float64[Array, "4 4"]:
    """model_to_camera of a face whose landmarks lie at these pixels, by least squares.

    theta's rotation is how the head is seen along the line to it, as a crop shows it.
    """
    parameters = model.layout.unpack(np.asarray(theta, np.float32)[None])
    points = model.geometry.at(model.landmarks[INNER]).evaluate(parameters.geometry)[0]
    seen = rotation_matrix(parameters.rotation)[0].astype(np.float64)
    transform = np.eye(4)
    transform[:3, :3] = seen
    for _ in range(ROUNDS):
        rotated = points @ transform[:3, :3].T
        transform[:3, 3] = translation(rotated, landmarks[INNER].astype(np.float64), K)
        transform[:3, :3] = towards(transform[:3, 3]) @ seen
    return transform


def translation(
    points: Float64[Array, "n 3"], pixels: Float64[Array, "n 2"], K: Float64[Array, "3 3"]
) -> Float64[Array, "3"]:
    """Where points in camera space must move to be seen at these pixels: linear least squares.

    u = cx - f X / Z and v = cy + f Y / Z, times Z.
    """
    f, offset = K[0, 0], pixels - K[:2, 2]
    zero, one = np.zeros(len(points)), np.full(len(points), f)
    left = np.concatenate(
        [np.stack([one, zero, offset[:, 0]], 1), np.stack([zero, -one, offset[:, 1]], 1)]
    )
    right = -np.concatenate(
        [
            f * points[:, 0] + offset[:, 0] * points[:, 2],
            -f * points[:, 1] + offset[:, 1] * points[:, 2],
        ]
    )
    return np.asarray(np.linalg.lstsq(left, right, rcond=None)[0])


def towards(place: Float64[Array, "3"]) -> Float64[Array, "3 3"]:
    """The least rotation that takes the view axis to the line from the camera to a place."""
    ahead, line = np.array([0.0, 0.0, -1.0]), place / np.linalg.norm(place)
    axis, cosine = np.cross(ahead, line), float(ahead @ line)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))
