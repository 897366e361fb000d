"""How photographs are taken: numbers per sample, and those that change nothing."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt64

from facegen.files import Array


@dataclass(frozen=True, eq=False)
class Photography:
    """How N photographs are taken; lengths are shares of the image's side.

    exposure: stops; white_balance: stops of red and blue against green; shoulder: the linear light
    from which highlights roll off, 1 to cut them off at white; contrast: slope of the tone curve at
    mid grey, 1 as is; saturation: 1 as is, 0 grey; grey: a black-and-white picture; vignette: share
    of the light lost in the corners, below 1; focus_blur: standard deviation of a point's image;
    motion_blur: the streak that a point leaves, right and down; shot_noise: variance per linear
    light; read_noise: standard deviation in linear light, so that noise has the variance
    shot_noise x + read_noise²; sharpening: amount of an unsharp mask, 0 for none; downscale: how
    many times smaller the picture was taken, at least 1; noise_seed: decides the noise.
    """

    exposure: Float[Array, "N"]
    white_balance: Float[Array, "N 2"]
    shoulder: Float[Array, "N"]
    contrast: Float[Array, "N"]
    saturation: Float[Array, "N"]
    grey: Bool[Array, "N"]
    vignette: Float[Array, "N"]
    focus_blur: Float[Array, "N"]
    motion_blur: Float[Array, "N 2"]
    shot_noise: Float[Array, "N"]
    read_noise: Float[Array, "N"]
    sharpening: Float[Array, "N"]
    downscale: Float[Array, "N"]
    noise_seed: UInt64[Array, "N"]

    def __len__(self) -> int:
        return len(self.exposure)

    def __getitem__(self, rows: Any) -> "Photography":
        return Photography(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def neutral(count: int) -> Photography:
    """Settings that change nothing: light from 0 to 1 is encoded as it is."""
    zeros, ones = np.zeros(count, np.float32), np.ones(count, np.float32)
    return Photography(
        exposure=zeros,
        white_balance=np.zeros((count, 2), np.float32),
        shoulder=ones,
        contrast=ones,
        saturation=ones,
        grey=np.zeros(count, np.bool_),
        vignette=zeros,
        focus_blur=zeros,
        motion_blur=np.zeros((count, 2), np.float32),
        shot_noise=zeros,
        read_noise=zeros,
        sharpening=zeros,
        downscale=ones,
        noise_seed=np.zeros(count, np.uint64),
    )
