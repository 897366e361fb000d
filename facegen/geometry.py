"""Rotations, camera, crop and projection: pure functions. Conventions: CONVENTIONS.md."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Cameras:
    """N cameras: model_to_camera (N, 4, 4) into eye space, K (N, 3, 3) onto pixels, float32."""

    model_to_camera: Float32
    K: Float32

    def __len__(self) -> int:
        return len(self.K)


@dataclass(frozen=True)
class Crop:
    """How the landmarks' box becomes the image: per sample, in fractions of the box's side.

    scale (N,): image side / box side; shift (N, 2): of the box's centre, right and down.
    """

    scale: Float64
    shift: Float64


def rotation_matrix(angles: Float32) -> Float64:
    """R = R_z(roll) R_y(yaw) R_x(pitch): angles (..., 3) in radians -> (..., 3, 3)."""
    (cx, cy, cz), (sx, sy, sz) = (
        np.moveaxis(f(np.asarray(angles, np.float64)), -1, 0) for f in (np.cos, np.sin)
    )
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def model_to_camera(angles: Float32, distance: Float64) -> Float32:
    """Turn the head about its origin and set it `distance` mm before the camera -> (N, 4, 4)."""
    transform = np.zeros((len(angles), 4, 4), np.float32)
    transform[:, :3, :3] = rotation_matrix(angles)
    transform[:, 2, 3] = -np.asarray(distance)
    transform[:, 3, 3] = 1
    return transform


def to_camera(points: Float32, transform: Float32) -> Float32:
    """Points (N, P, 3) in model space through transforms (N, 4, 4) -> (N, P, 3) in eye space."""
    return points @ np.swapaxes(transform[:, :3, :3], 1, 2) + transform[:, None, :3, 3]


def project(points: Float32, K: Float32) -> Float32:
    """Eye-space points (N, P, 3) and K (N, 3, 3) -> pixels u, v (N, P, 2): u right, v down."""
    f, cx, cy = (K[:, None, i, j] for i, j in ((0, 0), (0, 2), (1, 2)))
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([cx - f * x / z, cy + f * y / z], axis=-1)


def crop_to_landmarks(landmarks: Float32, crop: Crop, size: int) -> Float32:
    """K (N, 3, 3) of the square image that frames the box of eye-space landmarks (N, L, 3).

    The box's longer side, centred and shifted, times `crop.scale` is the image's side: the camera
    is that of a larger photograph, and K its part left after the crop.
    """
    rays = project(landmarks.astype(np.float64), np.broadcast_to(np.eye(3), (len(landmarks), 3, 3)))
    low, high = rays.min(axis=1), rays.max(axis=1)
    side = (high - low).max(axis=1)
    centre = (low + high) / 2 + side[:, None] * crop.shift
    focal = size / (side * crop.scale)
    K = np.zeros((len(landmarks), 3, 3), np.float32)
    K[:, 0, 0] = K[:, 1, 1] = focal
    K[:, :2, 2] = size / 2 - focal[:, None] * centre
    K[:, 2, 2] = 1
    return K
