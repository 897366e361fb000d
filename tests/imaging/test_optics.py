"""Optics: blurs keep the light, and are as wide as they say; corners are darker."""

import numpy as np
import pytest

from facegen.imaging import optics, tones
from facegen.imaging.camera import camera_of
from facegen.imaging.settings import neutral

SIZE = 41


def point():
    """An image of one bright point in the middle."""
    light = np.zeros((1, SIZE, SIZE, 3), np.float32)
    light[0, SIZE // 2, SIZE // 2] = 0.9
    return light


def light_of(codes):
    """Linear light of 8-bit codes."""
    return tones.decode(codes / 255)


def moments(image):
    """The sum of an image, its centre and its covariance, in pixels: (x, y)."""
    place = np.arange(SIZE) - SIZE // 2
    total = image.sum()
    x, y = image.sum(axis=0) @ place / total, image.sum(axis=1) @ place / total
    xx, yy = image.sum(axis=0) @ place**2 / total, image.sum(axis=1) @ place**2 / total
    return total, (x, y), (xx - x * x, yy - y * y, place @ image @ place / total - x * y)


@pytest.mark.parametrize("sigma", [0.3, 0.6, 1.0, 2.5, 6.0])
def test_focus_weights_sum_to_one_and_have_their_variance(sigma):
    (radius,), (weights,) = optics.focus_weights(np.array([sigma]))
    both = np.concatenate([weights[:0:-1], weights])
    steps = np.arange(len(both)) - len(weights) + 1
    assert both.sum() == pytest.approx(1, abs=1e-6)
    assert both @ steps**2 == pytest.approx(sigma**2, rel=0.015)
    assert not weights[radius + 1 :].any()
    assert np.all(np.diff(weights[: radius + 1]) < 0)


def test_no_blur_has_no_radius():
    radii, weights = optics.focus_weights(np.array([0.0, 1.0]))
    assert radii.tolist()[0] == 0
    assert weights[0].tolist() == [1] + [0] * (len(weights[0]) - 1)


@pytest.mark.parametrize("vector", [(6.0, 0.0), (0.0, -5.0), (7.0, 3.0), (-2.3, 4.1)])
def test_streaks_are_lines_of_their_length(vector):
    (count,), (places,), (shares,) = optics.streaks(np.array([vector]))
    assert shares[:count].sum() == pytest.approx(1, abs=1e-6)
    mean = shares @ places
    assert mean == pytest.approx([0, 0], abs=1e-6)
    cover = (shares[:, None, None] * places[:, :, None] * places[:, None, :]).sum(axis=0)
    # A line of length L has the variance L² / 12 along itself; bilinear weights add up to 1/4.
    line = np.outer(vector, vector) / 12
    assert np.all(np.diag(cover - line) >= -0.03)
    assert np.all(np.diag(cover - line) <= 0.28)
    assert cover[0, 1] == pytest.approx(line[0, 1], abs=0.2)


def test_a_streak_shorter_than_a_pixel_is_none():
    assert optics.streaks(np.array([[0.1, 0.1]]))[0].tolist() == [0]


def test_a_pixels_own_blur_adds_to_that_of_focus(photograph):
    both = photograph(point(), focus_blur=1.2 / SIZE, pixel_blur=0.5)
    assert np.array_equal(both, photograph(point(), focus_blur=1.3 / SIZE))
    assert not np.array_equal(both, photograph(point(), focus_blur=1.2 / SIZE))


def test_an_unsharp_point_is_round_and_as_wide_as_stated(photograph):
    # Bright enough not to vanish in 8 bits: noise of rounding is far below the tolerances.
    light = point()
    light[0, :, :, :] += 0.05
    codes = photograph(light, focus_blur=2.0 / SIZE)
    spot = light_of(codes)[0, ..., 1] - 0.05
    total, centre, (xx, yy, xy) = moments(np.where(spot > 1e-3, spot, 0))
    assert total == pytest.approx(0.9, rel=0.05)
    assert centre == pytest.approx((0, 0), abs=0.05)
    assert xx == pytest.approx(4, rel=0.15)
    assert yy == pytest.approx(xx, rel=0.03)
    assert xy == pytest.approx(0, abs=0.05)


def test_a_moved_point_is_a_streak_along_its_vector(photograph):
    codes = photograph(point(), motion_blur=[9 / SIZE, 3 / SIZE])
    total, centre, (xx, yy, xy) = moments(light_of(codes)[0, ..., 1])
    assert total == pytest.approx(0.9, rel=0.05)
    assert centre == pytest.approx((0, 0), abs=0.1)
    assert xx == pytest.approx(81 / 12, rel=0.1)
    assert xy == pytest.approx(27 / 12, rel=0.1)
    assert yy < 1.5


@pytest.mark.parametrize(
    "blur", [{"focus_blur": 0.05}, {"motion_blur": [0.1, -0.2]}, {"downscale": 2.3}]
)
def test_even_light_stays_even_up_to_the_border(photograph, blur):
    light = np.full((1, SIZE, SIZE, 3), [0.37, 0.1, 0.8], np.float32)
    assert np.array_equal(photograph(light, **blur), photograph(light))


def test_blurs_keep_the_light(photograph, scene):
    before = light_of(photograph(scene)).mean()
    for blur in ({"focus_blur": 0.03}, {"motion_blur": [0.05, 0.1]}, {"downscale": 2.0}):
        codes = photograph(scene, **blur)
        assert light_of(codes).mean() == pytest.approx(before, rel=0.01)
        assert codes.std() < 0.98 * photograph(scene).std()


def test_blurs_are_taken_where_they_are_stated(photograph, scene):
    both = photograph(scene, focus_blur=[0, 0.04])
    assert np.array_equal(both[:1], photograph(scene[:1]))
    assert np.array_equal(both[1:], photograph(scene[1:], focus_blur=0.04))


@pytest.mark.parametrize("lost", [0.1, 0.5, 0.8])
def test_corners_lose_their_share_of_light(photograph, lost):
    light = np.full((1, 200, 200, 3), 0.8, np.float32)
    seen = light_of(photograph(light, vignette=lost))[0, ..., 1] / 0.8
    corners = seen[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners == pytest.approx(1 - lost, abs=0.02)
    assert seen[100, 100] == pytest.approx(1, abs=0.01)
    # cos⁴ of the angle at which the middle of a side is seen: half the square of the corner's tan.
    tan2 = (1 - lost) ** -0.5 - 1
    assert seen[100, 0] == pytest.approx((1 + tan2 / 2) ** -2, abs=0.02)


def test_the_gravest_vignette_is_finite():
    settings = neutral(1)
    settings.vignette[:] = 1
    assert np.isfinite(camera_of(settings, 32).fall).all()
