"""How each sample's photograph is taken: numbers per sample, drawn from what a recipe states."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt64

from facegen.files import Array
from facegen.recipe.photograph import SETTINGS, PhotographPrior
from facegen.sampling.randomness import Stream, uniforms

DRAWS = 24
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Photography:
    """How N photographs are taken; lengths are shares of the image's side.

    exposure: stops; white_balance: stops of red and blue against green; shoulder: the linear light
    from which highlights roll off, 1 to cut them off at white; contrast: slope of the tone curve at
    mid grey, 1 as is; saturation: 1 as is, 0 grey; grey: a black-and-white picture; vignette: share
    of the light lost in the corners, below 1; focus_blur: standard deviation of a point's image,
    pixel_blur: the same in pixels, of their areas, which adds to it as variance; motion_blur: the
    streak that a point leaves, right and down; shot_noise: variance per linear light; read_noise:
    standard deviation in linear light, so that noise has the variance shot_noise x + read_noise²;
    sharpening: amount of an unsharp mask, 0 for none; downscale: how many times smaller the picture
    was taken, at least 1; noise_seed: decides the noise; quality: of a lossy file.
    """

    exposure: Float[Array, "N"]
    white_balance: Float[Array, "N 2"]
    shoulder: Float[Array, "N"]
    contrast: Float[Array, "N"]
    saturation: Float[Array, "N"]
    grey: Bool[Array, "N"]
    vignette: Float[Array, "N"]
    focus_blur: Float[Array, "N"]
    pixel_blur: Float[Array, "N"]
    motion_blur: Float[Array, "N 2"]
    shot_noise: Float[Array, "N"]
    read_noise: Float[Array, "N"]
    sharpening: Float[Array, "N"]
    downscale: Float[Array, "N"]
    noise_seed: UInt64[Array, "N"]
    quality: Float[Array, "N"]

    def __len__(self) -> int:
        return len(self.exposure)

    def __getitem__(self, rows: Any) -> "Photography":
        return Photography(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def record(self, row: int) -> dict[str, Any]:
        """The settings of one photograph, as its label says them."""
        return {one.name: _plain(getattr(self, one.name)[row]) for one in fields(self)}


def draw_photography(prior: PhotographPrior, seed: int, indices: Int64[Array, "N"]) -> Photography:
    """How the photographs of these samples are taken: pure in (seed, index)."""
    draws = uniforms(seed, Stream.PHOTOGRAPH, indices, DRAWS)
    drawn = {name: _setting(prior, name, draws[:, k]) for k, name in enumerate(SETTINGS)}
    red, blue = drawn.pop("white_balance"), _setting(prior, "white_balance", draws[:, -1])
    length, angle = drawn.pop("motion_blur"), 2 * np.pi * draws[:, -2]
    streak = np.stack([length * np.cos(angle), length * np.sin(angle)], axis=1)
    return Photography(
        white_balance=np.stack([red, blue], axis=1),
        motion_blur=np.round(streak, DIGITS).astype(np.float32),
        grey=draws[:, -3] < prior.grey,
        noise_seed=(draws[:, -4] * 2.0**53).astype(np.uint64),
        **drawn,
    )


def _setting(prior: PhotographPrior, name: str, draws: Float64[Array, "N"]) -> Float32[Array, "N"]:
    _, low, high = SETTINGS[name]
    return prior.of(name).ppf(draws).clip(low, high).astype(np.float32)


def _plain(value: Any) -> Any:
    return value.item() if np.ndim(value) == 0 else value.tolist()
