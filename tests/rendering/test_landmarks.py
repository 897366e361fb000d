"""Which landmarks an image shows: a wall 1000 mm away, before 16 x 16 pixels."""

import meshes
import numpy as np
import pytest
from specs import samples_of

from facegen.imaging.faces import rendered_layers
from facegen.rendering.landmarks import find_landmarks
from facegen.scene.cameras import Cameras

CAMERAS = Cameras(np.eye(4, dtype=np.float32)[None], meshes.camera_matrix(16, 16)[None])


def landmark(x, y, z, depth):
    """u, v, visible of a point before a depth image (16, 16)."""
    return find_landmarks(np.float32([[[x, y, z]]]), CAMERAS, depth[None])[0, 0]


WALL = np.full((16, 16), 1000, np.float32)


def test_a_landmark_is_where_it_projects_and_visible_on_the_surface():
    assert landmark(0, 0, -1000, WALL).tolist() == [8, 8, 1]
    u, v, visible = landmark(125, 62.5, -1000, WALL)
    assert (u, v, visible) == (10, 7, 1)


def test_a_landmark_behind_a_surface_is_hidden():
    assert landmark(0, 0, -1005, WALL)[2] == 0
    assert landmark(0, 0, -1000.9, WALL)[2] == 1


def test_a_landmark_outside_the_image_is_not_visible_but_still_placed():
    u, v, visible = landmark(-1000, 0, -1000, WALL)
    assert (u, v, visible) == (-8, 8, 0)


def test_a_landmark_before_nothing_is_not_visible():
    assert landmark(0, 0, -1000, np.zeros((16, 16), np.float32))[2] == 0


@pytest.mark.parametrize("edge", [(-499, 0), (499, 0), (0, -499), (0, 499)])
def test_landmarks_at_the_images_edge_are_looked_up_inside_it(edge):
    assert landmark(*edge, -1000, WALL)[2] == 1


def test_the_far_side_of_a_head_is_hidden_and_the_front_visible(faces):
    """In the shared data: the nose's bridge is seen; turned away, the far jaw's corner is not."""
    samples = samples_of(faces)
    yaw = np.array([sample["theta.npy"][1] for sample in samples])
    visible = np.array([sample["landmarks.npy"][:, 2] for sample in samples])
    assert visible[:, 27].mean() > 0.9
    assert visible[yaw > 0.4, 16].mean() < 0.3 < 0.7 < visible[yaw > 0.4, 0].mean()
    assert visible[yaw < -0.4, 0].mean() < 0.3 < 0.7 < visible[yaw < -0.4, 16].mean()


def test_landmarks_need_the_depth():
    assert rendered_layers({"landmarks", "mask"}, "display") == {"mask", "depth"}
    assert rendered_layers((), "display") == frozenset()
