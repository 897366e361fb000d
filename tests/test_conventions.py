"""Each line of CONVENTIONS.md, by rendering or by computing."""

import h5py
import meshes
import numpy as np
import pytest

from facegen import model_formats, recipe, sampling
from facegen.geometry import Crop, crop_to_landmarks, model_to_camera, project, to_camera
from facegen.layers import find_landmarks
from facegen.morphable_model import PARTS
from facegen.renderers import RenderSettings
from facegen.renderers.egl import EglRenderer
from facegen.sampling import Stream, uniforms

TURN = 0.4
NOSE_TIP, CHIN, RIGHT_EYE, LEFT_EYE = 30, 8, slice(36, 42), slice(42, 48)


def draw(model, scene, size, *layers):
    """The picture and layers of a one-face scene, by name."""
    renderer = EglRenderer(model, RenderSettings(size, frozenset(layers)))
    try:
        return {name: array[0] for name, array in meshes.copied(renderer.render(scene)).items()}
    finally:
        renderer.close()


def seen(generic, rotation, size=96):
    """The generic mean face turned: its picture and layers, and its landmarks' pixels (68, 2)."""
    K = meshes.camera_matrix(size, 350)
    scene = meshes.look(generic, K, rotation)
    transform = scene.cameras.model_to_camera
    uv = project(to_camera(generic.mean_face[None, generic.landmarks], transform), K[None])[0]
    return draw(generic, scene, size, "normal", "depth", "parts"), uv


def dot_at(size, x, y, K):
    """The picture of a white triangle under a pixel's size, about (x, y, 0) a metre away."""
    triangle = np.float32([[x - 0.4, y - 0.4, 0], [x + 0.4, y - 0.4, 0], [x, y + 0.4, 0]])
    model = meshes.bare(triangle, [[0, 1, 2]], np.ones((3, 3)))
    return draw(model, meshes.look(model, K), size)["image"][..., 0]


# Model space and rotation


def test_model_space_is_millimetres_with_the_origin_between_the_ears(generic):
    ears = generic.mean_face[generic.parts == PARTS.index("ears")]
    assert np.median(ears[:, 0][ears[:, 0] > 0]) == pytest.approx(70, abs=15)
    assert abs(ears.mean(axis=0)[0]) < 1
    assert (ears.min(axis=0) < 0).all()
    assert (ears.max(axis=0) > 0).all()


def test_x_is_the_images_right_y_up_and_z_out_of_the_face(generic):
    points = generic.mean_face[generic.landmarks]
    assert points[LEFT_EYE, 0].mean() > 20 > -20 > points[RIGHT_EYE, 0].mean()
    assert points[RIGHT_EYE, 1].mean() > points[NOSE_TIP, 1] > points[CHIN, 1]
    assert points[NOSE_TIP, 2] == points[:, 2].max()


@pytest.mark.parametrize(
    ("angle", "axis", "direction"),
    [
        ((TURN, 0, 0), 1, +1),  # positive pitch looks down: v grows
        ((0, TURN, 0), 0, +1),  # positive yaw turns to the image's right: u grows
        ((-TURN, 0, 0), 1, -1),
        ((0, -TURN, 0), 0, -1),
    ],
)
def test_positive_pitch_looks_down_and_positive_yaw_to_the_images_right(
    egl, generic, angle, axis, direction
):
    (before, straight), (after, turned) = (seen(generic, one) for one in ((0, 0, 0), angle))
    assert direction * (turned - straight)[NOSE_TIP, axis] > 8
    up = -1 if axis else 1
    assert direction * up * (lips_normal(after) - lips_normal(before))[axis] > 0.08


def lips_normal(found):
    """The mean normal over the lips' pixels, in eye space."""
    return (found["normal"][found["parts"] == PARTS.index("lips")] / 127.5 - 1).mean(axis=0)


def test_positive_roll_tilts_the_head_counter_clockwise(egl, generic):
    found, uv = seen(generic, (0, 0, TURN))
    eyes = uv[LEFT_EYE].mean(axis=0) - uv[RIGHT_EYE].mean(axis=0)
    assert np.arctan2(-eyes[1], eyes[0]) == pytest.approx(TURN, abs=0.02)
    row, column = np.nonzero(found["parts"] == PARTS.index("eyes"))
    right, left = column > column.mean(), column < column.mean()
    assert row[right].mean() < row[left].mean() - 3


def test_rotation_is_roll_after_yaw_after_pitch():
    one = [model_to_camera(np.float32([a]), np.zeros(1))[0, :3, :3] for a in np.eye(3) * TURN]
    together = model_to_camera(np.full((1, 3), TURN, np.float32), np.zeros(1))[0, :3, :3]
    np.testing.assert_allclose(together, one[2] @ one[1] @ one[0], atol=1e-6)


# Eye space and pixels


def test_the_camera_looks_along_minus_z(egl, generic):
    found, _ = seen(generic, (0, 0, 0))
    nearest = found["depth"][found["mask"] > 0].min()
    assert nearest == pytest.approx(1000 - generic.mean_face[:, 2].max(), abs=0.5)


def test_the_top_left_pixel_covers_zero_to_one(egl):
    """A dot drawn at u = 2.5, v = 0.5 is in row 0, column 2."""
    size, K = 8, meshes.camera_matrix(8, 1000)
    picture = dot_at(size, x=2.5 - 4, y=4 - 0.5, K=K)
    expected = np.zeros((8, 8))
    expected[0, 2] = 255
    np.testing.assert_array_equal(picture, expected)


def test_u_is_right_and_v_down_of_the_principal_point(egl):
    """At cx = 3, cy = 5: a dot 1.5 to the right and 2.5 up is in column 4, row 2."""
    size, K = 8, meshes.camera_matrix(8, 1000, (3, 5))
    picture = dot_at(size, x=1.5, y=2.5, K=K)
    assert [int(i[0]) for i in np.nonzero(picture)] == [2, 4]


def test_normals_point_right_up_and_out_in_eye_space(egl, generic):
    found, uv = seen(generic, (0, 0, 0))
    normal = found["normal"] / 127.5 - 1
    row, column = np.nonzero(found["mask"])
    middle = column.mean()
    assert normal[row, column][:, 2].mean() > 0.5
    assert normal[row, column][column > middle + 10][:, 0].mean() > 0.2
    assert normal[row, column][column < middle - 10][:, 0].mean() < -0.2
    nose = np.round(uv[NOSE_TIP]).astype(int)
    assert normal[nose[1] + 3, nose[0], 1] < normal[nose[1] - 6, nose[0], 1]


# Crop


def test_the_crop_frames_the_box_of_all_landmarks(generic):
    transform = model_to_camera(np.float32([[0.3, 0.5, -0.2]]), np.array([1000.0]))
    points = to_camera(generic.mean_face[None, generic.landmarks], transform)
    crop = Crop(np.array([1.4]), np.array([[0.03, -0.02]]))
    uv = project(points, crop_to_landmarks(points, crop, 240))[0]
    low, high = uv.min(axis=0), uv.max(axis=0)
    side = (high - low).max()
    assert side * 1.4 == pytest.approx(240, abs=0.01)
    np.testing.assert_allclose((low + high) / 2 + side * crop.shift[0], 120, atol=0.02)


# Surface and light


def test_a_face_seen_from_behind_is_drawn_and_its_normals_not_turned(egl):
    points, triangles = meshes.square()
    model = meshes.bare(points, np.asarray(triangles)[:, ::-1])
    found = draw(model, meshes.look(model, meshes.camera_matrix(16, 50)), 16, "normal")
    assert (found["mask"] == 255).all()
    assert found["normal"][8, 8].tolist() == [128, 128, 0]


def test_vertex_normals_are_weighted_by_area(egl):
    """A large floor and a small wall meet: the edge's normal is nearly the floor's."""
    points = np.float32([[-90, 0, 0], [90, 0, 0], [0, -90, 0], [0, 0, -30]])
    triangles = [[0, 2, 1], [0, 1, 3]]
    normal = meshes.vertex_normals(points.astype(np.float64), triangles)[0]
    assert normal[2] == pytest.approx(9 / np.hypot(9, 3), abs=1e-6)
    model = meshes.bare(points, triangles)
    scene = meshes.look(model, meshes.camera_matrix(64, 300))
    found = draw(model, scene, 64, "normal")["normal"][32, 32] / 127.5 - 1
    np.testing.assert_allclose(found, normal, atol=0.06)


@pytest.mark.parametrize(
    ("coefficient", "value"),
    [(0, 0.886227), (1, 0), (2, 1.023328), (3, 0), (4, 0), (5, 0), (6, 0.495416), (7, 0), (8, 0)],
)
def test_light_on_a_surface_facing_the_camera(egl, coefficient, value):
    points, triangles = meshes.square()
    model = meshes.bare(points, triangles, np.full_like(points, 0.9))
    light = np.zeros((9, 3))
    light[coefficient] = 0.2, 0.5, 0.9
    scene = meshes.look(model, meshes.camera_matrix(16, 50), light=light)
    expected = np.round(255 * 0.9 * value * light[coefficient])
    np.testing.assert_array_equal(draw(model, scene, 16)["image"][8, 8], expected)


@pytest.mark.parametrize(("coefficient", "brighter"), [(1, "above"), (2, "middle"), (3, "right")])
def test_light_comes_from_above_the_camera_and_the_right(egl, generic, coefficient, brighter):
    light = np.zeros((9, 3))
    light[0], light[coefficient] = 0.6, 0.3
    white = meshes.bare(generic.mean_face, generic.triangles, np.full((generic.vertices, 3), 0.5))
    scene = meshes.look(white, meshes.camera_matrix(48, 170), light=light)
    image = draw(white, scene, 48)["image"][..., 0].astype(float)
    top, bottom = image[8:20, 20:28], image[36:42, 20:28]
    left, middle, right = image[20:36, 11:13], image[20:28, 20:28], image[20:36, 35:37]
    pairs = {"above": (top, bottom), "right": (right, left), "middle": (middle, left)}
    light_side, dark_side = pairs[brighter]
    assert light_side.mean() > dark_side.mean() + 10


# Coefficients, layers and randomness


def test_the_posters_expressions_have_exactly_the_spread_of_the_data(generic):
    """sqrt(variance) in the file is the data's: a unit is that over 12 / sqrt 3."""
    with h5py.File(model_formats.find("generic")) as model:
        data = np.sqrt(model["expression/model/pcaVariance"][()])
    poster = recipe.load("inversefacenet").priors["expression"].default
    np.testing.assert_allclose(generic.expression.sigma * poster.sd, data, rtol=1e-5)


def test_parts_are_numbered_as_stated():
    stated = (
        "0 background, 1 skin, 2 lips, 3 brows, 4 eyes, 5 teeth, 6 mouth, 7 ears, 8 neck, 9 scalp"
    )
    assert ", ".join(f"{i} {name}" for i, name in enumerate(PARTS)) == stated


def test_a_landmark_is_visible_within_a_millimetre_and_inside_the_picture():
    K = meshes.camera_matrix(8, 8)[None]
    depth = np.full((1, 8, 8), 1000, np.float32)
    points = np.float32([[[0, 0, -1000.5], [0, 0, -1001.5], [0, 0, -500], [900, 0, -1000]]])
    assert find_landmarks(points, K, depth)[0, :, 2].tolist() == [1, 0, 1, 0]


def test_uniforms_are_the_middles_of_two_to_the_53_steps():
    bits = np.random.Philox(key=np.array([3, 1], np.uint64), counter=5 * 2).random_raw(8)
    expected = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
    np.testing.assert_array_equal(uniforms(3, Stream.CAMERA, np.array([5]), 8)[0], expected)
    assert expected.min() > 0
    assert expected.max() < 1


def test_streams_are_numbered_as_stated():
    assert [stream.value for stream in Stream] == [0, 1, 2, 3, 4, 5]
    names = [stream.name for stream in sampling.Stream]
    assert names == ["THETA", "CAMERA", "BACKGROUND", "PARENT", "IDENTITY", "PICTURE"]
