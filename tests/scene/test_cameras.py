"""Rotations, cameras, projection and the crop against formulas written out here."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facegen.scene.cameras import (
    Crop,
    crop_to_landmarks,
    model_to_camera,
    project,
    rotation_matrix,
    to_camera_space,
)

RNG = np.random.default_rng(3)
ANGLES = RNG.uniform(-np.pi, np.pi, (50, 3)).astype(np.float32)


def landmarks(count=5, seed=0):
    """Points of heads about a metre before the camera, float32 (N, 68, 3)."""
    points = np.random.default_rng(seed).uniform(-90, 90, (count, 68, 3)) - [0, 0, 1000]
    return points.astype(np.float32)


def crop(count, scale=1.45, shift=(0, 0)):
    return Crop(np.full(count, scale), np.tile(np.asarray(shift, np.float64), (count, 1)))


def test_the_rotation_is_scipys_roll_after_yaw_after_pitch():
    expected = Rotation.from_euler("ZYX", ANGLES[:, ::-1].astype(np.float64)).as_matrix()
    np.testing.assert_allclose(rotation_matrix(ANGLES), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("angles", "point", "turned"),
    [
        ((np.pi / 2, 0, 0), (0, 0, 1), (0, -1, 0)),  # pitch: the nose goes down
        ((0, np.pi / 2, 0), (0, 0, 1), (1, 0, 0)),  # yaw: the nose goes to the image's right
        ((0, 0, np.pi / 2), (1, 0, 0), (0, 1, 0)),  # roll: the image's right goes up
    ],
)
def test_a_quarter_turn_about_each_axis(angles, point, turned):
    np.testing.assert_allclose(rotation_matrix(np.float32(angles)) @ point, turned, atol=1e-6)


def test_the_camera_stands_at_its_distance_along_plus_z():
    transform = model_to_camera(np.zeros((1, 3), np.float32), np.array([1000.0]))
    assert to_camera_space(np.zeros((1, 1, 3), np.float32), transform)[0, 0].tolist() == [
        0,
        0,
        -1000,
    ]
    assert transform[0, 3].tolist() == [0, 0, 0, 1]


def test_to_camera_is_the_4x4_matrix_on_columns():
    transform = model_to_camera(ANGLES[:4], np.linspace(600, 1200, 4))
    points = RNG.normal(0, 80, (4, 7, 3)).astype(np.float32)
    columns = np.concatenate([points, np.ones((4, 7, 1))], axis=2).transpose(0, 2, 1)
    expected = (transform.astype(np.float64) @ columns).transpose(0, 2, 1)[..., :3]
    np.testing.assert_allclose(to_camera_space(points, transform), expected, atol=2e-4)


def test_projection_is_the_stated_formula():
    K = np.float32([[[500, 0, 31], [0, 500, 33], [0, 0, 1]]])
    points = np.float32([[[10, 20, -1000], [-40, 0, -500]]])
    expected = [[31 + 500 * 10 / 1000, 33 - 500 * 20 / 1000], [31 - 500 * 40 / 500, 33]]
    np.testing.assert_allclose(project(points, K)[0], expected, rtol=1e-6)


@pytest.mark.parametrize("size", [16, 240, 2048])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.45])
def test_the_crop_is_a_square_of_scale_times_the_box_around_all_landmarks(size, scale):
    points = landmarks()
    uv = project(points, crop_to_landmarks(points, crop(len(points), scale), size))
    low, high = uv.min(axis=1), uv.max(axis=1)
    np.testing.assert_allclose((high - low).max(axis=1) * scale, size, rtol=1e-4)
    np.testing.assert_allclose((low + high) / 2, size / 2, atol=2e-3 * size)


def test_the_shift_moves_the_square_right_and_down_by_fractions_of_the_box():
    points = landmarks()
    still, moved = (
        project(points, crop_to_landmarks(points, crop(5, 2.0, shift), 100))
        for shift in ((0, 0), (0.1, -0.3))
    )
    offset = np.array([-0.1, 0.3]) * 100 / 2.0
    np.testing.assert_allclose(moved - still, np.broadcast_to(offset, still.shape), atol=0.01)


def test_the_camera_matrix_has_square_pixels_and_no_skew():
    points = landmarks()
    K = crop_to_landmarks(points, crop(5), 240)
    assert (K[:, 0, 0] == K[:, 1, 1]).all()
    np.testing.assert_array_equal(K[:, [0, 1, 2, 2, 2], [1, 0, 0, 1, 2]], [[0, 0, 0, 0, 1]] * 5)


def test_a_face_twice_as_far_is_framed_the_same():
    points = landmarks()
    near, far = (
        project(p, crop_to_landmarks(p, crop(5), 240)) for p in (points, points * np.float32(2))
    )
    np.testing.assert_allclose(near, far, atol=0.01)
