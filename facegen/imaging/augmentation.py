"""For training: the same faces with other appearance, crude and quick, in place."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.imaging.camera import camera_of, darkroom
from facegen.imaging.develop import develop_all
from facegen.imaging.occluders import draw_hair, draw_shapes
from facegen.imaging.painting import paint_hair, paint_shapes
from facegen.imaging.tones import DECODED
from facegen.rendering.cpu.memory import F, kernel
from facegen.sampling.photography import Photography


@dataclass(frozen=True)
class Strength:
    """How often appearances change, and how much; 0 leaves all as it is.

    occluders, hair, grey, blur, noise and downscale: shares of the pictures that have any;
    occluder_size: largest radius, by the image's side; exposure, white_balance, gamma, contrast and
    saturation: standard deviations of log2; blur_size: largest standard deviation, by the image's
    side; motion: the longest streak; noise_level: largest standard deviation in linear light;
    downscale_by: up to how many times smaller, less 1.
    """

    occluders: float = 0.5
    occluder_size: float = 0.35
    hair: float = 0.25
    exposure: float = 0.4
    white_balance: float = 0.15
    gamma: float = 0.2
    contrast: float = 0.25
    saturation: float = 0.3
    grey: float = 0.08
    blur: float = 0.4
    blur_size: float = 0.02
    motion: float = 0.03
    noise: float = 0.5
    noise_level: float = 0.03
    downscale: float = 0.3
    downscale_by: float = 2.0

    def scaled(self, factor: float) -> "Strength":
        """All numbers times a factor, from 0, for nothing, to 1."""
        return Strength(**{one.name: factor * getattr(self, one.name) for one in fields(self)})


def augment(images: UInt8[Array, "B S S 3"], strength: Strength, seed: int, step: int) -> None:
    """Change how faces look, in place, and what stands before them; not where they are.

    A pure function of the batch, the strength, the seed and the step.
    """
    draws = np.random.Generator(np.random.Philox(key=[seed, step]))
    count, size = images.shape[:2]
    shapes = draw_shapes(draws, images, strength.occluders, strength.occluder_size)
    hair = draw_hair(draws, count, size, strength.hair)
    gamma = 2.0 ** draws.normal(0, strength.gamma, count)
    photography = draw_photography(draws, count, strength)
    paint_hair(images, hair)
    paint_shapes(images, images.copy(), shapes)
    light = np.empty(images.shape, F)
    put_light(images, (DECODED ** gamma[:, None]).astype(F), light)
    camera = camera_of(photography, size)
    develop_all(light, camera, darkroom(camera, size), images)


def draw_photography(draws: np.random.Generator, count: int, strength: Strength) -> Photography:
    """Random photography of this strength."""
    blurred, moved = _some(draws, count, strength.blur), draws.random(count) < 0.3
    angle = draws.uniform(0, 2 * np.pi, count)
    streak = strength.motion * draws.random(count) * (blurred & moved)
    noisy, smaller = _some(draws, count, strength.noise), _some(draws, count, strength.downscale)
    level = strength.noise_level * draws.random((2, count)) ** 2 * noisy
    return Photography(
        exposure=draws.normal(0, strength.exposure, count),
        white_balance=draws.normal(0, strength.white_balance, (count, 2)),
        shoulder=np.ones(count),
        contrast=2.0 ** draws.normal(0, strength.contrast, count),
        saturation=2.0 ** draws.normal(0, strength.saturation, count),
        grey=_some(draws, count, strength.grey),
        vignette=np.zeros(count),
        focus_blur=strength.blur_size * draws.random(count) * (blurred & ~moved),
        motion_blur=streak[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1),
        pixel_blur=np.zeros(count),
        shot_noise=level[0] ** 2,
        read_noise=level[1],
        sharpening=np.zeros(count),
        downscale=1 + strength.downscale_by * draws.random(count) * smaller,
        quality=np.full(count, 100.0),
        noise_seed=draws.integers(0, 2**64, count, np.uint64),
    )


def _some(draws: np.random.Generator, count: int, share: float) -> Array:
    return draws.random(count) < share


@kernel
def put_light(
    images: UInt8[Array, "B S S 3"],
    tables: Float32[Array, "B 256"],
    light: Float32[Array, "B S S 3"],
) -> None:
    """The light of each code, by a table for each picture."""
    for n in range(len(images)):
        codes, out, table = images[n].reshape(-1), light[n].reshape(-1), tables[n]
        for i in range(len(codes)):
            out[i] = table[codes[i]]
