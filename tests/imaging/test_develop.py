"""The whole chain: noise as stated, a function of the sample alone; smaller pictures; sharpness."""

from dataclasses import fields, replace

import numpy as np
import pytest

from facegen.imaging import sensor, tones
from facegen.imaging.develop import develop
from facegen.imaging.settings import neutral
from facegen.rendering.cpu.memory import F
from facegen.sampling.photography import Photography

MANY = 12


def varied(count=MANY) -> Photography:
    """Settings that use every step, each in some photographs."""
    draws = np.random.default_rng(3)

    def some(values, share=0.7):
        keep = draws.random(count) < share
        return np.where(keep.reshape(-1, *[1] * (np.ndim(values) - 1)), values, 0)

    return Photography(
        exposure=some(draws.normal(0, 0.5, count)),
        white_balance=some(draws.normal(0, 0.2, (count, 2))),
        shoulder=draws.choice([0.6, 1.0], count),
        contrast=1 + some(draws.uniform(-0.2, 0.4, count)),
        saturation=1 + some(draws.uniform(-0.5, 0.3, count)),
        grey=draws.random(count) < 0.2,
        vignette=some(draws.uniform(0, 0.5, count)),
        focus_blur=some(draws.uniform(0, 0.05, count)),
        pixel_blur=some(draws.uniform(0, 0.6, count)),
        motion_blur=some(draws.normal(0, 0.05, (count, 2)), 0.4),
        shot_noise=some(draws.uniform(0, 0.01, count)),
        read_noise=some(draws.uniform(0, 0.02, count)),
        sharpening=some(draws.uniform(0, 1, count)),
        downscale=1 + some(draws.uniform(0, 3, count), 0.5),
        noise_seed=draws.integers(0, 2**64, count, np.uint64),
        quality=np.full(count, 95.0),
    )


def taken(light, settings):
    """Photographs of light with settings."""
    out = np.full(light.shape, 77, np.uint8)
    develop(light, settings, out)
    return out


@pytest.fixture
def many():
    """Light of MANY images of 32 pixels, some of it beyond white."""
    return np.random.default_rng(1).uniform(0, 1.5, (MANY, 32, 32, 3)).astype(np.float32)


@pytest.mark.parametrize("parts", [[1] * MANY, [5, 7], [1, 4, 4, 3]])
def test_batches_make_no_difference(many, parts):
    settings, whole = varied(), taken(many, varied())
    ends = np.cumsum(parts)
    split = [
        taken(many[end - part : end], settings[end - part : end])
        for end, part in zip(ends, parts, strict=True)
    ]
    assert np.array_equal(np.concatenate(split), whole)
    order = np.random.default_rng(0).permutation(MANY)
    assert np.array_equal(taken(many[order], settings[order]), whole[order])


def test_light_is_left_as_it_was(many):
    before = many.copy()
    taken(many, varied())
    assert np.array_equal(many, before)


def test_light_need_not_be_contiguous(many):
    assert np.array_equal(
        taken(many[:, :, ::-1], varied()), taken(many[:, :, ::-1].copy(), varied())
    )


@pytest.mark.parametrize("name", [one.name for one in fields(Photography) if one.name != "quality"])
def test_every_setting_matters(many, name):
    plain = neutral(MANY)
    if name == "noise_seed":
        plain = replace(plain, read_noise=np.full(MANY, 0.02))
    changed = replace(plain, **{name: getattr(varied(), name)})
    assert not np.array_equal(taken(many, changed), taken(many, plain))


def noise_of(light, shot, read, seed=5, size=128):
    """Noise that the sensor adds to even light: rows, channels, columns."""
    ((key, other),) = sensor.noise_keys(np.array([seed], np.uint64))
    rows = np.full((size, 3, size), light, np.float32)
    for row in range(size):
        sensor.add_noise(rows[row], row, F(shot), F(read), (key, other))
    return rows - np.float32(light)


@pytest.mark.parametrize(
    ("light", "shot", "read"), [(0.5, 0.004, 0.0), (0.2, 0.0, 0.03), (0.8, 0.01, 0.02), (0, 1, 0.1)]
)
def test_noise_has_the_stated_variance(light, shot, read):
    noise = noise_of(light, shot, read)
    expected = shot * light + read**2
    for channel in range(3):
        assert noise[:, channel].var() == pytest.approx(expected, rel=0.04)
        assert noise[:, channel].mean() == pytest.approx(0, abs=4 * (expected / 128**2) ** 0.5)


def test_noise_is_nearly_normal():
    noise = noise_of(0.5, 0.0, 1.0)
    assert (np.abs(noise) < 1).mean() == pytest.approx(0.683, abs=0.01)
    assert (np.abs(noise) < 2).mean() == pytest.approx(0.954, abs=0.01)
    assert (noise**3).mean() == pytest.approx(0, abs=0.05)


def test_noise_is_white_in_space_and_shared_between_channels():
    noise = noise_of(0.5, 0.0, 1.0)
    for shifted in (
        np.roll(noise, 1, axis=0),
        np.roll(noise, 1, axis=2),
        np.roll(noise, 64, axis=2),
    ):
        assert (noise * shifted).mean() == pytest.approx(0, abs=0.02)
    red, green, blue = noise.transpose(1, 0, 2)
    assert (red * green).mean() == pytest.approx(sensor.SHARED, abs=0.03)
    assert (blue * green).mean() == pytest.approx(sensor.SHARED, abs=0.03)


def test_seeds_make_other_noise():
    first, second = noise_of(0.5, 0, 1, seed=1), noise_of(0.5, 0, 1, seed=2)
    assert (first * second).mean() == pytest.approx(0, abs=0.02)


def test_noise_in_the_picture_follows_the_formula(photograph):
    light = np.full((1, 128, 128, 3), 0.4, np.float32)
    codes = photograph(light, shot_noise=0.001, read_noise=0.01, noise_seed=9)
    seen = tones.decode(codes / 255)
    assert seen.var() == pytest.approx(0.001 * 0.4 + 0.01**2, rel=0.05)
    assert seen.mean() == pytest.approx(0.4, rel=0.01)


def test_noise_of_a_smaller_picture_is_coarser(photograph):
    light = np.full((1, 96, 96, 3), 0.4, np.float32)

    def likeness(**settings):
        codes = photograph(light, read_noise=0.05, noise_seed=4, **settings)[0, ..., 1] - 170.0
        codes -= codes.mean()
        return (codes[:, 1:] * codes[:, :-1]).mean() / codes.var()

    assert likeness() == pytest.approx(0, abs=0.05)
    assert likeness(downscale=2.0) > 0.5


def stripes(period, size=96):
    """Light of vertical stripes."""
    wave = 0.5 + 0.4 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / period)
    return np.broadcast_to(wave[None, None, :, None], (1, size, size, 3)).astype(np.float32)


def test_a_smaller_picture_loses_fine_stripes_and_keeps_coarse_ones(photograph):
    fine, coarse = stripes(3), stripes(32)
    assert photograph(fine, downscale=3.0).std() < 0.2 * photograph(fine).std()
    assert photograph(coarse, downscale=3.0).std() > 0.95 * photograph(coarse).std()


@pytest.mark.parametrize("factor", [1.01, 1.5, 2.0, 3.7, 24.0, 1000.0])
def test_a_smaller_picture_stays_in_place(photograph, factor):
    slope = np.linspace(0.2, 0.6, 96)
    light = np.broadcast_to(slope[None, :, None, None], (1, 96, 96, 3)).astype(np.float32)
    sideways = light.transpose(0, 2, 1, 3).copy()
    codes = photograph(light, downscale=factor)
    turned = photograph(sideways, downscale=factor).transpose(0, 2, 1, 3)
    assert np.abs(codes.astype(int) - turned).max() <= 1  # Sums in another order round otherwise.
    middle = slice(96 // 4, -96 // 4)
    difference = codes.astype(int) - photograph(light)
    assert np.abs(difference[0, middle]).max() <= 2


def test_sharpening_is_an_unsharp_mask_of_the_luma(photograph):
    light = stripes(16)
    encoded = tones.encode(light[0, 0, :, 0].astype(np.float64))
    wide = np.concatenate([encoded[:1], encoded, encoded[-1:]])
    blurred = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    expected = 255 * (encoded + 0.8 * (encoded - blurred))
    codes = photograph(light, sharpening=0.8)
    assert np.abs(codes[0, :, :, 1] - expected).max() < 0.51
    upright = photograph(light.transpose(0, 2, 1, 3).copy(), sharpening=0.8)
    assert np.abs(upright.transpose(0, 2, 1, 3) - codes.astype(int)).max() <= 1


@pytest.mark.parametrize("size", [5, 8, 33])
def test_images_of_any_size(size):
    light = np.random.default_rng(0).random((MANY, size, size, 3)).astype(np.float32)
    settings = varied()
    settings.motion_blur[:] *= 4
    settings.focus_blur[:] *= 4
    codes = taken(light, settings)
    assert codes.std() > 5


def test_no_photographs(photograph):
    assert photograph(np.zeros((0, 16, 16, 3), np.float32)).shape == (0, 16, 16, 3)
