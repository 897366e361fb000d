"""Space, surface and light as CONVENTIONS.md states them, on both renderers."""

import re
from pathlib import Path

import meshes
import numpy as np
import pytest
from conventions import NUMBER, STATEMENTS, sentence, states

from facegen.models.morphable_model import SEGMENTS
from facegen.rendering.contract import RenderSettings
from facegen.rendering.devices import open_renderer
from facegen.scene.cameras import Crop, crop_to_landmarks, model_to_camera, project, to_camera_space
from facegen.scene.lighting import basis

TURN = 0.4
NOSE_TIP, CHIN, RIGHT_EYE, LEFT_EYE = 30, 8, slice(36, 42), slice(42, 48)


def test_every_statement_of_the_page_is_checked():
    here = Path(__file__).parent
    source = "".join(path.read_text("utf-8") for path in sorted(here.glob("test_conventions*.py")))
    assert set(re.findall(r'^@states\("(.+)"\)$', source, re.MULTILINE)) == set(STATEMENTS)


@pytest.fixture(params=["cpu", "egl"])
def draw(request):
    """A function that renders one face: its image and layers by name."""
    if request.param == "egl":
        request.getfixturevalue("egl")

    def rendered(model, scene, size, *layers):
        renderer = open_renderer(request.param, model, RenderSettings(size, frozenset(layers)))
        try:
            return {name: a[0] for name, a in meshes.copied(renderer.render(scene)).items()}
        finally:
            renderer.close()

    return rendered


def look_at(draw, generic, rotation, size=96):
    """The generic mean face turned: its image and layers, and its landmarks' pixels (68, 2)."""
    K = meshes.camera_matrix(size, 350)
    scene = meshes.look(generic, K, rotation)
    transform = scene.cameras.model_to_camera
    uv = project(to_camera_space(generic.mean_face[None, generic.landmarks], transform), K[None])[0]
    return draw(generic, scene, size, "normal", "depth", "segmentation"), uv


def dot_at(draw, x, y, K, size=8):
    """The image of a white triangle smaller than a pixel, about (x, y, 0), a metre away."""
    triangle = np.float32([[x - 0.4, y - 0.4, 0], [x + 0.4, y - 0.4, 0], [x, y + 0.4, 0]])
    model = meshes.bare(triangle, [[0, 1, 2]], np.ones((3, 3)))
    return draw(model, meshes.look(model, K), size)["image"][..., 0]


# Space


@states("Model space")
def test_model_space_is_millimetres_with_the_origin_between_the_ears(generic):
    ears = generic.mean_face[generic.segmentation == SEGMENTS.index("ears")]
    assert np.median(ears[:, 0][ears[:, 0] > 0]) == pytest.approx(70, abs=15)
    assert abs(ears.mean(axis=0)[0]) < 1
    assert (ears.min(axis=0) < 0).all()
    assert (ears.max(axis=0) > 0).all()


@states("Model space")
def test_x_is_the_images_right_y_up_and_z_out_of_the_face(generic):
    points = generic.mean_face[generic.landmarks]
    assert points[LEFT_EYE, 0].mean() > 20 > -20 > points[RIGHT_EYE, 0].mean()
    assert points[RIGHT_EYE, 1].mean() > points[NOSE_TIP, 1] > points[CHIN, 1]
    assert points[NOSE_TIP, 2] == points[:, 2].max()


TURNS = {  # direction on the page: (angles, axis of the image, its sign there)
    "pitch looks down": ((TURN, 0, 0), 1, +1),
    "yaw turns the face to the image's right": ((0, TURN, 0), 0, +1),
}


@states("Rotation")
@pytest.mark.parametrize("direction", TURNS)
@pytest.mark.parametrize("sign", [1, -1])
def test_positive_pitch_looks_down_and_positive_yaw_right(draw, generic, direction, sign):
    sentence("Rotation", f"[Pp]ositive {direction}")
    angles, axis, toward = TURNS[direction]
    turned = tuple(sign * angle for angle in angles)
    (before, straight), (after, moved) = (
        look_at(draw, generic, rotation) for rotation in ((0, 0, 0), turned)
    )
    assert sign * toward * (moved - straight)[NOSE_TIP, axis] > 8
    up = -1 if axis else 1
    turn = face_normal(after, moved) - face_normal(before, straight)
    assert sign * toward * up * turn[axis] > 0.2


def face_normal(layers, uv):
    """The mean normal at the inner ends of the brows and between them, in camera space."""
    column, row = uv[[21, 22, 27]].astype(int).T
    return (layers["normal"][row, column] / 127.5 - 1).mean(axis=0)


@states("Rotation")
def test_positive_roll_tilts_the_head_counter_clockwise(draw, generic):
    sentence("Rotation", "positive roll tilts the head counter-clockwise")
    layers, uv = look_at(draw, generic, (0, 0, TURN))
    eyes = uv[LEFT_EYE].mean(axis=0) - uv[RIGHT_EYE].mean(axis=0)
    assert np.arctan2(-eyes[1], eyes[0]) == pytest.approx(TURN, abs=0.02)
    row, column = np.nonzero(layers["segmentation"] == SEGMENTS.index("eyes"))
    right, left = column > column.mean(), column < column.mean()
    assert row[right].mean() < row[left].mean() - 3


@states("Rotation")
def test_rotation_is_roll_after_yaw_after_pitch():
    order = sentence("Rotation", r"R = R_z\((\w+)\) R_y\((\w+)\) R_x\((\w+)\)")
    axes = dict(zip(("pitch", "yaw", "roll"), np.eye(3) * TURN, strict=True))
    turns = [model_to_camera(np.float32([axes[a]]), np.zeros(1))[0, :3, :3] for a in order]
    together = model_to_camera(np.full((1, 3), TURN, np.float32), np.zeros(1))[0, :3, :3]
    np.testing.assert_allclose(together, turns[0] @ turns[1] @ turns[2], atol=1e-6)


@states("Camera space")
def test_the_camera_looks_along_minus_z(draw, generic):
    layers, _ = look_at(draw, generic, (0, 0, 0))
    nearest = layers["depth"][layers["mask"] > 0].min()
    assert nearest == pytest.approx(1000 - generic.mean_face[:, 2].max(), abs=0.5)


@states("Camera space")
def test_normals_point_right_up_and_out_in_camera_space(draw, generic):
    layers, uv = look_at(draw, generic, (0, 0, 0))
    normal = layers["normal"] / 127.5 - 1
    row, column = np.nonzero(layers["mask"])
    middle = column.mean()
    assert normal[row, column][:, 2].mean() > 0.5
    assert normal[row, column][column > middle + 10][:, 0].mean() > 0.2
    assert normal[row, column][column < middle - 10][:, 0].mean() < -0.2
    nose = np.round(uv[NOSE_TIP]).astype(int)
    assert normal[nose[1] + 3, nose[0], 1] < normal[nose[1] - 6, nose[0], 1]


@states("Pixels")
def test_the_top_left_pixel_covers_zero_to_one(draw):
    """A dot drawn at u = 2.5, v = 0.5 is in row 0, column 2."""
    sentence(
        "Pixels", r"\(0, 0\) is the top-left corner of the top-left pixel, centres are at \+0.5"
    )
    expected = np.zeros((8, 8))
    expected[0, 2] = 255
    image = dot_at(draw, x=2.5 - 4, y=4 - 0.5, K=meshes.camera_matrix(8, 1000))
    np.testing.assert_array_equal(image, expected)


@states("Pixels")
def test_u_is_right_and_v_down_of_the_principal_point(draw):
    """At cx = 3, cy = 5: a dot 1.5 to the right and 2.5 up is in column 4, row 2."""
    sentence("Pixels", r"u = cx - f X/Z, v = cy \+ f Y/Z")
    image = dot_at(draw, x=1.5, y=2.5, K=meshes.camera_matrix(8, 1000, (3, 5)))
    assert [int(i[0]) for i in np.nonzero(image)] == [2, 4]


@states("Crop")
def test_the_crop_frames_the_box_of_all_landmarks(generic):
    transform = model_to_camera(np.float32([[0.3, 0.5, -0.2]]), np.array([1000.0]))
    points = to_camera_space(generic.mean_face[None, generic.landmarks], transform)
    crop = Crop(np.array([1.4]), np.array([[0.03, -0.02]]))
    uv = project(points, crop_to_landmarks(points, crop, 240))[0]
    low, high = uv.min(axis=0), uv.max(axis=0)
    side = (high - low).max()
    assert side * 1.4 == pytest.approx(240, abs=0.01)
    np.testing.assert_allclose((low + high) / 2 + side * crop.shift[0], 120, atol=0.02)


# Surface and light


@states("Vertex normals")
def test_a_face_seen_from_behind_is_drawn_and_its_normals_not_turned(draw):
    points, triangles = meshes.square()
    model = meshes.bare(points, np.asarray(triangles)[:, ::-1])
    layers = draw(model, meshes.look(model, meshes.camera_matrix(16, 50)), 16, "normal")
    assert (layers["mask"] == 255).all()
    assert layers["normal"][8, 8].tolist() == [128, 128, 0]


@states("Vertex normals")
def test_vertex_normals_are_weighted_by_area(draw):
    """A large floor and a small wall meet: the edge's normal is nearly the floor's."""
    points = np.float32([[-90, 0, 0], [90, 0, 0], [0, -90, 0], [0, 0, -30]])
    triangles = [[0, 2, 1], [0, 1, 3]]
    normal = meshes.vertex_normals(points.astype(np.float64), triangles)[0]
    assert normal[2] == pytest.approx(9 / np.hypot(9, 3), abs=1e-6)
    model = meshes.bare(points, triangles)
    scene = meshes.look(model, meshes.camera_matrix(64, 300))
    drawn = draw(model, scene, 64, "normal")["normal"][32, 32] / 127.5 - 1
    np.testing.assert_allclose(drawn, normal, atol=0.06)


@states("Interpolation")
def test_colours_are_interpolated_perspective_correctly(draw):
    """On a plane that recedes, the texture's middle is not the image's."""
    points = np.float32([[-300, -100, 300], [300, -100, -900], [300, 100, -900], [-300, 100, 300]])
    ramp = np.float32([[0, 0, 0], [1, 1, 1], [1, 1, 1], [0, 0, 0]])
    model = meshes.bare(points, [[0, 1, 2], [0, 2, 3]], ramp)
    scene = meshes.look(model, meshes.camera_matrix(64, 60))
    image = draw(model, scene, 64, "depth")
    column = np.arange(64)[image["mask"][32] > 0]
    ray = (column + 0.5 - 32) / 60
    x = 1300 * ray / (1 - 2 * ray)  # where the ray meets the plane, 1300 + 2 x before the camera
    expected = 255 * (x + 300) / 600
    np.testing.assert_allclose(image["image"][32, column, 0], expected, atol=1.5)
    np.testing.assert_allclose(image["depth"][32, column], 1300 + 2 * x, atol=2)


@states("Interpolation")
def test_the_nearer_surface_is_seen(draw):
    near, triangles = meshes.square(200)
    far, _ = meshes.square(400)
    points = np.concatenate([far - np.float32([0, 0, 50]), near])
    colours = np.float32([[0.2] * 3] * 4 + [[0.8] * 3] * 4)
    both = [*triangles, *(np.asarray(triangles) + 4).tolist()]
    for order in (both, both[::-1]):
        model = meshes.bare(points, order, colours)
        image = draw(model, meshes.look(model, meshes.camera_matrix(32, 100)), 32)["image"]
        assert image[16, 16, 0] == 204


@states("Reflectance")
def test_reflectance_is_seen_as_it_is_under_a_light_of_one(draw):
    points, triangles = meshes.square()
    model = meshes.bare(points, triangles, np.tile(np.float32([0.2, 0.4, 1.0]), (4, 1)))
    layers = draw(model, meshes.look(model, meshes.camera_matrix(16, 50)), 16, "albedo")
    assert layers["image"][8, 8].tolist() == layers["albedo"][8, 8].tolist() == [51, 102, 255]


def stated_basis(n):
    """H(n) as the page writes it."""
    x, y, z = n
    constant, linear, cross, zonal, again, sectoral = map(
        float,
        sentence(
            "Light",
            rf"H\(n\) = ({NUMBER}); ({NUMBER}) \(y, z, x\); ({NUMBER}) \(xy, yz\), "
            rf"({NUMBER}) \(3z² - 1\), ({NUMBER}) xz, ({NUMBER}) \(x² - y²\)",
        ),
    )
    first = [constant, linear * y, linear * z, linear * x]
    second = [cross * x * y, cross * y * z, zonal * (3 * z * z - 1), again * x * z]
    return np.array([*first, *second, sectoral * (x * x - y * y)])


@states("Light")
def test_the_basis_is_the_one_on_the_page():
    normals = np.random.default_rng(0).normal(size=(20, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    expected = np.array([stated_basis(n) for n in normals])
    np.testing.assert_allclose(basis(normals.astype(np.float32)), expected, atol=1e-6)


@states("Colour")
@pytest.mark.parametrize("coefficient", range(9))
def test_light_on_a_surface_facing_the_camera(draw, coefficient):
    sentence("Colour", r"= clip\(reflectance ⊙ \(H\(n\) · illumination\), 0, 1\)")
    points, triangles = meshes.square()
    model = meshes.bare(points, triangles, np.full_like(points, 0.9))
    light = np.zeros((9, 3))
    light[coefficient] = 0.2, 0.5, 1.3
    scene = meshes.look(model, meshes.camera_matrix(16, 50), light=light)
    colour = np.clip(0.9 * stated_basis((0, 0, 1)) @ light, 0, 1)
    np.testing.assert_array_equal(draw(model, scene, 16)["image"][8, 8], np.round(255 * colour))


@states("Light")
@pytest.mark.parametrize(("coefficient", "brighter"), [(1, "above"), (2, "middle"), (3, "right")])
def test_light_comes_from_above_the_camera_and_the_right(draw, generic, coefficient, brighter):
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
