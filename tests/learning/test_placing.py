"""Heads placed before a camera: what was projected comes back."""

import numpy as np
import pytest

from facegen.learning import placing
from facegen.learning.turning import roll_of, turned
from facegen.scene.cameras import rotation_matrix


def theta_of(model, angles):
    """A face of some shape with this rotation, in degrees."""
    theta = 0.5 * np.random.default_rng(1).normal(size=(1, model.layout.width)).astype(np.float32)
    theta[:, :3] = np.radians(angles)
    return theta


def projected(model, theta, transform, K):
    """All 68 landmarks in pixels."""
    geometry = model.layout.unpack(theta).geometry
    points = model.geometry.at(model.landmarks).evaluate(geometry)[0] @ transform[:3, :3].T
    points = points + transform[:3, 3]
    shares = np.stack([-points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]], axis=1)
    return K[0, 0] * shares + K[:2, 2]


@pytest.mark.parametrize("place", [(0, 0, -900), (250, 120, -800), (-500, 0, -2000)])
def test_a_head_is_placed_where_it_was(generic, place):
    theta = theta_of(generic, (10, 25, -5))
    K = placing.camera_matrix(800, 600, None)
    ahead = placing.towards(np.array(place, float))
    transform = np.eye(4)
    transform[:3, :3] = ahead @ rotation_matrix(theta[0, :3])
    transform[:3, 3] = place
    marks = projected(generic, theta, transform, K)
    placed = placing.placed(generic, theta[0], marks, K)
    np.testing.assert_allclose(placed[:3, 3], place, atol=1)
    np.testing.assert_allclose(placed[:3, :3], transform[:3, :3], atol=2e-3)
    np.testing.assert_allclose(projected(generic, theta, placed, K), marks, atol=0.2)


def test_towards_is_a_rotation_of_the_view_axis():
    place = np.array([300.0, -200, -700])
    rotation = placing.towards(place)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(rotation @ [0, 0, -1], place / np.linalg.norm(place), atol=1e-12)


@pytest.mark.parametrize("angles", [(0, 0, 20), (15, 40, -30), (-10, -70, 5)])
def test_a_turned_frame_stands_a_head_upright(generic, angles):
    theta = theta_of(generic, angles)
    lean = roll_of(theta[:, :3])
    upright = turned(
        generic.layout, theta, lean
    )  # The frame leans clockwise, so the image does not.
    np.testing.assert_allclose(roll_of(upright[:, :3]), 0, atol=1e-6)
    back = turned(generic.layout, upright, -lean)
    np.testing.assert_allclose(back, theta, atol=1e-5)


def test_the_lens_is_the_photographs():
    assert placing.camera_matrix(400, 300, 2.0)[0, 0] == 800
    np.testing.assert_allclose(placing.camera_matrix(300, 400, None)[:2, 2], [150, 200])
