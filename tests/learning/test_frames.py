"""Frames: which part of a picture is cut out, upright and turned."""

import numpy as np
import pytest
from PIL import Image
from specs import samples_of

from facegen.errors import FacegenError
from facegen.learning.frames import Frame, Framing, cut, middle, room_for
from facegen.scene.cameras import project, to_camera_space

FRAMING = Framing(32, 1.5, 0.0)


def test_a_frame_lies_around_the_points():
    points = np.array([[10, 20], [30, 25]], np.float32)
    frame = Framing(32, 1.5, 0.1).frame(points)
    assert frame.side == pytest.approx(20 * 1.5)
    assert (frame.u, frame.v) == pytest.approx((20 + 2, 22.5 + 2))


@pytest.mark.parametrize("turn", [0.0, 0.3, -1.2])
def test_a_turned_frame_sees_what_an_upright_one_sees_of_an_upright_face(turn):
    upright = np.array([[-10.0, -8], [10, -8], [0, 12]])
    cos, sin = np.cos(turn), np.sin(turn)
    clockwise = upright @ np.array([[cos, sin], [-sin, cos]]) + (50, 60)
    frame = FRAMING.turned(clockwise, turn)
    level = FRAMING.frame(upright)
    assert frame.side == pytest.approx(level.side)
    shares = (upright - (level.u, level.v)) / level.side + 0.5
    np.testing.assert_allclose(frame.to_picture(shares), clockwise, atol=1e-9)


def dotted(place, size=120):
    """A black picture with a soft white dot at u, v."""
    v, u = np.mgrid[:size, :size] + 0.5
    dot = 255 * np.exp(-((u - place[0]) ** 2 + (v - place[1]) ** 2) / 18)
    return Image.fromarray(np.repeat(dot[:, :, None], 3, axis=2).astype(np.uint8))


@pytest.mark.parametrize("frame", [(60, 50, 64), (60, 50, 64, 0.5), (50, 70, 30, -2)])
@pytest.mark.parametrize("share", [(0.3, 0.4), (0.7, 0.6)])
def test_pixels_lie_where_the_frame_says(frame, share):
    frame = Frame(*frame)
    place = frame.to_picture(np.array(share))
    light = cut(dotted(place), frame, 48)[..., 0].astype(float)
    v, u = (np.mgrid[:48, :48] + 0.5) / 48
    centre = [(light * u).sum() / light.sum(), (light * v).sum() / light.sum()]
    np.testing.assert_allclose(centre, share, atol=0.01)


def test_a_frame_within_another_sees_the_same():
    frame = Frame(60, 50, 30, 0.4)
    picture = dotted(frame.to_picture(np.array([0.3, 0.6])))
    room = room_for(frame)
    kept = Image.fromarray(cut(picture, room, 120))
    again = cut(kept, frame.within(room).times(120), 40)
    difference = again.astype(int) - cut(picture, frame, 40).astype(int)
    assert np.abs(difference).mean() < 1.5


def test_a_larger_photograph_is_cropped_like_the_recipes(masked, ellipsoid):
    """A face in an image padded on all sides comes back as it was, by its landmarks."""
    sample = samples_of(masked)[0]
    label, theta = sample["json"], sample["theta.npy"][None]
    geometry = masked.layout.unpack(theta).geometry
    points = ellipsoid.landmark_geometry.evaluate(geometry)
    seen = to_camera_space(points, np.array(label["model_to_camera"], np.float32)[None])
    uv = project(seen, np.array(label["K"], np.float32)[None])[0]
    side = np.ptp(uv, axis=0).max()
    frame = Framing(64, 64 / side, 0.0).frame(uv + 20)
    assert frame.side == pytest.approx(64, rel=1e-4)
    centre = (uv.min(0) + uv.max(0)) / 2
    assert (frame.u, frame.v) == pytest.approx(tuple(centre + 20), abs=1e-3)
    padded = Image.fromarray(np.pad(sample["png"], ((20, 20), (20, 20), (0, 0))))
    np.testing.assert_array_equal(cut(padded, Frame(52, 52, 64), 64), sample["png"])
    plain = Image.fromarray(sample["png"])
    np.testing.assert_array_equal(cut(plain, middle(plain), 64), sample["png"])


def test_past_the_edge_it_is_black():
    white = Image.new("RGB", (20, 20), "white")
    pixels = cut(white, Frame(10, 10, 40), 40)
    assert pixels[:8].max() == 0
    assert pixels[12:28, 12:28].min() == 255


@pytest.mark.parametrize("frame", [Frame(110, 110, 20), Frame(0, 0, 1e9), Frame(200, 10, 30, 0.3)])
def test_a_frame_outside_is_refused(frame):
    with pytest.raises(FacegenError, match="outside"):
        cut(Image.new("RGB", (20, 20), "white"), frame, 32)


def test_a_detectors_box_has_its_face_below_its_middle():
    frame = FRAMING.of_box(np.array([10.0, 20, 90, 120]))
    assert frame.u == pytest.approx(50)
    assert 70 < frame.v < 95
    assert frame.side == pytest.approx(1.5 * 84)
