"""From linear radiance to a photograph: background, exposure, lens, sensor, tones, JPEG."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from .randomness import Random
from .render import Take
from .tones import luminance, roll_off, to_display

Float64 = NDArray[np.float64]

MIDDLE = 0.14
TYPICAL_REFLECTANCE = 0.13


@dataclass(frozen=True)
class Developing:
    """One camera's habits.

    stops: exposure beside the meter's; balance: how much of the light's colour is taken out;
    blur in pixels at 96 across; vignetting at the corners; fringe: how much larger red is than
    green, and green than blue; shot and read noise, linear; contrast; quality of the JPEG.
    """

    stops: float
    balance: float
    blur: float
    vignetting: float
    fringe: float
    shot: float
    read: float
    contrast: float
    quality: int


def draw_developing(rng: Random) -> Developing:
    """One camera."""
    noise = np.exp(rng.normal(0, 0.45))
    return Developing(
        stops=float(np.clip(rng.normal(0, 0.3), -0.7, 0.6)),
        balance=rng.uniform(0.5, 1),
        blur=rng.uniform(0.15, 0.6),
        vignetting=rng.uniform(0, 0.25),
        fringe=rng.normal(0, 0.0012),
        shot=0.012 * noise,
        read=0.0015 * noise,
        contrast=rng.uniform(1, 1.25),
        quality=int(rng.integers(60, 96)),
    )


def develop(take: Take, background: Float64, camera: Developing) -> Float64:
    """The photograph (S, S, 3) as the sensor would have it without noise: linear, exposed."""
    face = take.radiance * gains(take, camera)
    image = face + (1 - take.alpha)[..., None] * background
    return through_lens(_without_fireflies(image), camera)


def gains(take: Take, camera: Developing) -> Float64:
    """What to multiply radiance with (3,): metered on the face, half true to how dark its skin is.

    The light's colour is what the face sends back of its own.
    """
    seen = take.coverage > 0.99
    radiance, reflectance = take.radiance[seen], take.reflectance[seen]
    light = radiance.mean(axis=0) / reflectance.mean(axis=0)
    balance = (luminance(light) / light) ** camera.balance
    skin = np.median(luminance(reflectance)) / TYPICAL_REFLECTANCE
    exposure = MIDDLE * np.sqrt(skin) / np.median(luminance(radiance * balance))
    return exposure * 2**camera.stops * balance


def through_lens(image: Float64, camera: Developing) -> Float64:
    """Blur, colour fringes and darker corners."""
    size = len(image)
    v, u = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    sigma = camera.blur * size / 96
    soft = gaussian_filter(image, (sigma, sigma, 0), mode="nearest")
    channels = [
        _magnified(soft[..., i], 1 + camera.fringe * (1 - i)) for i in range(soft.shape[-1])
    ]
    falloff = 1 - camera.vignetting * 2 * (u**2 + v**2)
    return np.stack(channels, axis=-1) * falloff[..., None]


def expose(image: Float64, camera: Developing, rng: Random) -> Float64:
    """The sensor's noise."""
    sd = np.sqrt(camera.shot**2 * np.maximum(image, 0) + camera.read**2)
    return image + sd * rng.normal(size=image.shape)


def toned(image: Float64, camera: Developing) -> Float64:
    """Linear (S, S, 3) -> what a display is given, in [0, 1]."""
    display = to_display(roll_off(np.maximum(image, 0)))
    return np.clip(0.5 + camera.contrast * (display - 0.5), 0, 1)


def _without_fireflies(image: Float64) -> Float64:
    """No pixel half as bright again as the second brightest of its neighbours."""
    brightness = luminance(image)
    padded = np.pad(brightness, 1, mode="edge")
    size = len(image)
    steps = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    around = [padded[i : i + size, j : j + size] for i, j in steps]
    limit = 1.5 * np.sort(around, axis=0)[-2] + 0.02
    return image * np.minimum(1, limit / np.maximum(brightness, 1e-9))[..., None]


def _magnified(channel: Float64, factor: float) -> Float64:
    centre = (len(channel) - 1) / 2
    offset = centre * (1 - 1 / factor)
    return affine_transform(channel, [1 / factor] * 2, offset, order=1, mode="nearest")
