"""Rotations, camera, crop and projection: pure functions. Conventions: CONVENTIONS.md."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.spatial.transform import Rotation

from facegen.files import Array

LEAST_DISTORTION = 2 / 3


@dataclass(frozen=True, eq=False)
class Cameras:
    """N cameras: model_to_camera into camera space, K from there onto pixels.

    distortion: of lenses that have some, the first radial coefficient k1 (Brown 1966): a point at
    (X/Z, Y/Z) is seen at (1 + k1 r^2) times that, r its distance from the axis.
    """

    model_to_camera: Float32[Array, "N 4 4"]
    K: Float32[Array, "N 3 3"]
    distortion: Float32[Array, "N"] | None = None

    def __len__(self) -> int:
        return len(self.K)

    def __getitem__(self, rows: Any) -> "Cameras":
        distortion = None if self.distortion is None else self.distortion[rows]
        return Cameras(self.model_to_camera[rows], self.K[rows], distortion)

    @property
    def k1(self) -> Float32[Array, "N"]:
        """The lenses' distortion, zero where there is none."""
        return np.zeros(len(self), np.float32) if self.distortion is None else self.distortion

    def project(self, points: Float[Array, "N P 3"]) -> Float[Array, "N P 2"]:
        """Points in camera space -> pixels u, v, through lenses that may distort."""
        if self.distortion is None:
            return project(points, self.K)
        return project(distorted(points, self.distortion), self.K)


@dataclass(frozen=True, eq=False)
class Crop:
    """How the landmarks' box becomes the image: per sample, in fractions of the box's side.

    scale: image side / box side; shift: of the box's centre, right and down.
    """

    scale: Float64[Array, "N"]
    shift: Float64[Array, "N 2"]


def rotation_matrix(angles: Float[Array, "*N 3"]) -> Float64[Array, "*N 3 3"]:
    """R = R_z(roll) R_y(yaw) R_x(pitch); angles are pitch, yaw, roll in radians."""
    angles = np.asarray(angles, np.float64)
    matrices: Array = Rotation.from_euler("xyz", angles.reshape(-1, 3)).as_matrix()
    return matrices.reshape(*angles.shape, 3)


def model_to_camera(
    angles: Float32[Array, "N 3"], distance: Float64[Array, "N"]
) -> Float32[Array, "N 4 4"]:
    """Turn the head about its origin and set it `distance` mm before the camera."""
    transform = np.zeros((len(angles), 4, 4), np.float32)
    transform[:, :3, :3] = rotation_matrix(angles)
    transform[:, 2, 3] = -np.asarray(distance)
    transform[:, 3, 3] = 1
    return transform


def to_camera_space(
    points: Float32[Array, "N P 3"], transform: Float32[Array, "N 4 4"]
) -> Float32[Array, "N P 3"]:
    """Points in model space, mm, through model_to_camera."""
    rotated = points @ np.swapaxes(transform[:, :3, :3], 1, 2)
    return np.asarray(rotated + transform[:, None, :3, 3])


def project(points: Float[Array, "N P 3"], K: Float[Array, "N 3 3"]) -> Float[Array, "N P 2"]:
    """Points in camera space -> pixels u, v: u right, v down."""
    f, cx, cy = (K[:, None, i, j] for i, j in ((0, 0), (0, 2), (1, 2)))
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([cx - f * x / z, cy + f * y / z], axis=-1)


def distorted(
    points: Float[Array, "N P 3"], distortion: Float[Array, "N"]
) -> Float[Array, "N P 3"]:
    """Points in camera space, moved to where a lens without distortion sees them as they are.

    Where a barrel's picture would fold, beyond r^2 = 1 / (3 |k1|), the lens stays as it is there.
    """
    square = np.square(points[..., :2] / points[..., 2:]).sum(axis=-1, keepdims=True)
    factor = np.maximum(1 + distortion[:, None, None] * square, LEAST_DISTORTION)
    return np.concatenate([points[..., :2] * factor, points[..., 2:]], axis=-1)


def crop_to_landmarks(
    landmarks: Float32[Array, "N L 3"], crop: Crop, size: int
) -> Float32[Array, "N 3 3"]:
    """K of the square image that frames the box of landmarks in camera space.

    The box's longer side, centred and shifted, times `crop.scale` is the image's side: the camera
    is that of a larger image, and K its part left after the crop.
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
