"""What is written of a face: each layer decodes to what was rendered; landmarks know what hides."""

import io
import json

import meshes
import numpy as np
import pytest
from jobs import samples_of
from PIL import Image

from facegen import layers
from facegen.errors import UsageError
from facegen.recipe import ImageFormat
from facegen.renderers import Frames

RNG = np.random.default_rng(2)
LAYERS = frozenset({"mask", "depth", "normal", "albedo", "parts", "correspondence"})
K = meshes.camera_matrix(16, 16)[None]


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.fixture
def frames():
    """Two faces of random pixels."""

    def bytes_of(*shape):
        return RNG.integers(0, 256, shape).astype(np.uint8)

    colours = {name: bytes_of(2, 16, 16, 3) for name in ("normal", "albedo", "correspondence")}
    depth = RNG.uniform(0, 2000, (2, 16, 16)).astype(np.float32)
    other = {"depth": depth, "parts": bytes_of(2, 16, 16) % 10}
    return Frames(bytes_of(2, 16, 16, 3), 255 * (depth > 9).astype(np.uint8), colours | other, {})


def test_every_layer_is_a_member_of_its_name(frames):
    members = layers.encode(frames, 1, LAYERS, ImageFormat(16, "png", 95))
    assert set(members) == {"png"} | {f"{name}.png" for name in LAYERS}


@pytest.mark.parametrize("name", ["normal", "albedo", "correspondence", "parts"])
def test_a_layer_of_bytes_is_written_as_it_is(frames, name):
    members = layers.encode(frames, 1, LAYERS, ImageFormat(16, "png", 95))
    np.testing.assert_array_equal(decoded(members[f"{name}.png"]), frames.layers[name][1])


def test_the_mask_and_a_png_picture_are_written_as_they_are(frames):
    members = layers.encode(frames, 0, LAYERS, ImageFormat(16, "png", 95))
    np.testing.assert_array_equal(decoded(members["mask.png"]), frames.mask[0])
    np.testing.assert_array_equal(decoded(members["png"]), frames.images[0])


def test_depth_is_written_in_tenths_of_a_millimetre(frames):
    written = decoded(layers.encode(frames, 0, LAYERS, ImageFormat(16, "png", 95))["depth.png"])
    assert written.dtype == np.uint16
    np.testing.assert_allclose(written / 10, frames.layers["depth"][0], atol=0.0501)


def test_depth_saturates_and_nothing_stays_nothing():
    depth = np.float32([[0, 0.04, 1000.04, 6553.5, 9999.0]])
    assert decoded(layers.encode_depth(depth)).tolist() == [[0, 0, 10000, 65535, 65535]]


@pytest.mark.parametrize(("name", "kind"), [("jpg", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
def test_the_picture_is_in_the_recipes_format(frames, name, kind):
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)[..., None].repeat(3, 2)
    data = layers.encode_image(smooth, ImageFormat(64, name, 95))
    assert Image.open(io.BytesIO(data)).format == kind
    assert abs(decoded(data).astype(int) - smooth).mean() < 2


def test_a_lower_quality_is_smaller(frames):
    low, high = (ImageFormat(16, "jpg", quality) for quality in (30, 95))
    picture = frames.images[0]
    assert len(layers.encode_image(picture, low)) < len(layers.encode_image(picture, high))


@pytest.mark.parametrize("array", [np.float32([1.5, -2]), np.zeros((68, 3)), np.int8(3)])
def test_an_array_is_read_back_by_numpy(array):
    read = np.load(io.BytesIO(layers.encode_array(np.asarray(array))))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.asarray(array).dtype


def test_a_label_is_compact_json_of_float32_exactly():
    focal = np.float32(1234.5678)
    label = layers.Label(7, np.diag([focal, focal, 1]).astype(np.float32), np.eye(4), 7, None)
    read = json.loads(layers.encode_json(label.to_json()))
    assert np.float32(read["K"][0][0]) == focal
    assert (read["index"], read["identity"], read["parent"]) == (7, 7, None)


def test_a_number_that_is_not_finite_is_no_json():
    with pytest.raises(ValueError, match="JSON"):
        layers.encode_json({"K": float("nan")})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", set()), ("mask", {"mask"}), (" mask , depth,", {"mask", "depth"}),
     ("all", LAYERS | {"landmarks", "cls"})],
)  # fmt: skip
def test_layers_are_a_list_of_names(text, expected):
    assert layers.parse(text) == expected


def test_an_unknown_layer_is_refused_with_those_known():
    with pytest.raises(UsageError, match=r"unknown layer 'deph'; known: mask, depth, .*landmarks"):
        layers.parse("mask,deph")


def test_landmarks_need_the_depth():
    assert layers.rendered(frozenset({"landmarks", "mask"})) == {"mask", "depth"}
    assert layers.rendered(frozenset()) == frozenset()


# Landmarks: a wall 1000 mm away before a 16 x 16 picture that sees a millimetre for 16 of depth


def landmark(x, y, z, depth):
    """u, v, visible of a point before a depth picture (16, 16)."""
    return layers.find_landmarks(np.float32([[[x, y, z]]]), K, depth[None])[0, 0]


WALL = np.full((16, 16), 1000, np.float32)


def test_a_landmark_is_where_it_projects_and_visible_on_the_surface():
    assert landmark(0, 0, -1000, WALL).tolist() == [8, 8, 1]
    u, v, visible = landmark(125, 62.5, -1000, WALL)
    assert (u, v, visible) == (10, 7, 1)


def test_a_landmark_behind_a_surface_is_hidden():
    assert landmark(0, 0, -1005, WALL)[2] == 0
    assert landmark(0, 0, -1000.9, WALL)[2] == 1


def test_a_landmark_outside_the_picture_is_not_visible_but_still_placed():
    u, v, visible = landmark(-1000, 0, -1000, WALL)
    assert (u, v, visible) == (-8, 8, 0)


def test_a_landmark_before_nothing_is_not_visible():
    assert landmark(0, 0, -1000, np.zeros((16, 16), np.float32))[2] == 0


@pytest.mark.parametrize("edge", [(-499, 0), (499, 0), (0, -499), (0, 499)])
def test_landmarks_at_the_pictures_edge_are_looked_up_inside_it(edge):
    assert landmark(*edge, -1000, WALL)[2] == 1


def test_the_far_side_of_a_head_is_hidden_and_the_front_visible(faces):
    """In the shared data: the nose's bridge is seen; turned away, the far jaw's corner is not."""
    samples = samples_of(faces)
    yaw = np.array([sample["theta.npy"][1] for sample in samples])
    visible = np.array([sample["landmarks.npy"][:, 2] for sample in samples])
    assert visible[:, 27].mean() > 0.9
    assert visible[yaw > 0.4, 16].mean() < 0.3 < 0.7 < visible[yaw > 0.4, 0].mean()
    assert visible[yaw < -0.4, 0].mean() < 0.3 < 0.7 < visible[yaw < -0.4, 16].mean()
