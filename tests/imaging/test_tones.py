"""Tones: sRGB as its standard states it, highlights, contrast, saturation."""

import numpy as np
import pytest

from facegen.imaging import tones
from facegen.rendering.cpu.memory import F

EVERY_CODE = np.arange(256, dtype=np.uint8)


def ramp(light):
    """Grey light along rows, as one square image."""
    light = np.asarray(light, np.float32)
    return np.broadcast_to(light[None, None, :, None], (1, len(light), len(light), 3))


def test_srgb_is_that_of_the_standard():
    # The standard's own break points, and values known from its tables.
    assert tones.encode(np.array([0, 0.0031308, 1])) == pytest.approx([0, 0.04045, 1], abs=2e-6)
    assert tones.decode(np.array([0, 0.5, 1])) == pytest.approx([0, 0.21404114, 1], abs=1e-8)
    assert np.rint(255 * tones.encode(np.array([0.18]))) == 118


def test_encoding_and_decoding_undo_each_other():
    light = np.linspace(0, 1, 999)
    assert tones.decode(tones.encode(light)) == pytest.approx(light, abs=1e-7)


def test_the_kernel_encodes_nearly_exactly():
    light = np.linspace(0, 1, 100_001).astype(np.float32)
    line = light.copy()
    tones.put_encoded(line)
    assert np.abs(line - tones.encode(light)).max() < 2e-5


def test_every_code_comes_back(photograph):
    codes = np.broadcast_to(EVERY_CODE[:, None], (1, 256, 256, 3)).copy()
    light = tones.linear_light(codes)
    assert light.dtype == np.float32
    assert light == pytest.approx(tones.decode(codes / 255), abs=1e-7)
    assert np.array_equal(photograph(light), codes)


def test_neutral_settings_encode_and_no_more(photograph, scene):
    expected = np.rint(255 * tones.encode(scene))
    difference = np.abs(photograph(scene) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_light_beyond_white_is_white(photograph):
    assert photograph(ramp(np.linspace(1, 9, 8))).min() == 255
    assert photograph(ramp(np.linspace(-1, 0, 8))).max() == 0


def test_highlights_roll_off_smoothly():
    shoulder = F(0.7)
    light = np.linspace(0, 6, 6001).astype(np.float32)
    rolled = light.copy()
    tones.roll_off(rolled, shoulder)
    below = light <= shoulder
    assert np.array_equal(rolled[below], light[below])
    slopes = np.diff(rolled) / np.diff(light)
    assert slopes[light[1:] < 3.99].min() > 0
    assert np.abs(np.diff(slopes)).max() < 0.01
    assert rolled[light <= 4].max() == pytest.approx(1, abs=1e-6)


def test_a_shoulder_keeps_what_would_be_white(photograph):
    codes = photograph(ramp(np.linspace(0.9, 3.5, 16)), shoulder=0.6)[0, 0, :, 0]
    assert np.all(np.diff(codes.astype(int)) >= 0)
    assert codes.max() < 255
    assert codes.min() < 230


def test_contrast_is_the_slope_at_mid_grey():
    for slope in (0.6, 1.0, 1.7):
        line = np.array([0, 0.499, 0.5, 0.501, 1], np.float32)
        tones.put_contrast(line, F(slope))
        assert line[[0, 2, 4]] == pytest.approx([0, 0.5, 1], abs=1e-6)
        assert (line[3] - line[1]) / 0.002 == pytest.approx(slope, rel=1e-2)


def test_contrast_spreads_tones(photograph, scene):
    spread = [photograph(scene, contrast=value).std() for value in (0.6, 1.0, 1.6)]
    assert spread[0] < 0.9 * spread[1]
    assert spread[1] < 0.9 * spread[2]


def test_grey_is_grey(photograph, scene):
    settings = {"shot_noise": 0.01, "sharpening": 0.8, "contrast": 1.3}
    for size in (1.0, 1.7):
        codes = photograph(scene, grey=True, downscale=size, **settings)
        assert np.array_equal(codes[..., 0], codes[..., 1])
        assert np.array_equal(codes[..., 0], codes[..., 2])
    assert not np.array_equal(photograph(scene)[..., 0], photograph(scene)[..., 1])


def test_grey_has_the_luma_of_bt_709(photograph, scene):
    luma = 255 * tones.encode(scene) @ [0.2126, 0.7152, 0.0722]
    assert np.abs(photograph(scene, grey=True)[..., 0] - luma).max() < 0.51


def test_saturation_moves_tones_from_their_luma(photograph, scene):
    encoded = 255 * tones.encode(scene)
    luma = (encoded @ [0.2126, 0.7152, 0.0722])[..., None]
    expected = np.clip(luma + 1.4 * (encoded - luma), 0, 255)
    assert np.abs(photograph(scene, saturation=1.4) - expected).max() < 0.51


def test_exposure_is_in_stops_and_white_balance_against_green(photograph, scene):
    gain = 2.0 ** np.array([-0.5 + 0.25, -0.5, -0.5 - 0.5])
    expected = 255 * tones.encode(scene * gain)
    codes = photograph(scene, exposure=-0.5, white_balance=[0.25, -0.5])
    assert np.abs(codes - expected).max() < 0.51
