"""Natural light: environments turned about the vertical, mixed, with lamps; as theta has it.

Sums are written out, and cosines rounded, so that every machine draws the same bits.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from facegen.files import Array
from facegen.models.environments import Environments, environments_path, read_environments
from facegen.recipe.light import LightPrior
from facegen.recipe.recipe import Recipe
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.lighting import CONSTANTS, LUMINANCE

TURNS = 1024
QUANTUM = 2.0**-24
DRAWS = 16
DARKEST = 0.05
EXPOSED = 0.9  # Irradiance over pi of a face, on average, before brightness is drawn.
WARM, COOL = np.array([1.25, 0.95, 0.62]), np.array([0.86, 1.0, 1.22])
# Lamps: how high they stand (sines), and how soft they are: what is left of the square harmonics.
LOW, HIGH = -0.2, 0.95
SOFT = (0.3, 1.0)
# Harmonics of radiance against those of irradiance over pi, band by band.
BANDS = np.array([1.0, *[1.5] * 3, *[4.0] * 5])


def _rounded(values: Any) -> Float64[Array, "*n"]:
    return np.asarray(np.round(np.asarray(values) / QUANTUM) * QUANTUM)


_ANGLES = [2 * math.pi * k / TURNS for k in range(TURNS)]
COSINES = _rounded([math.cos(angle) for angle in _ANGLES])
SINES = _rounded([math.sin(angle) for angle in _ANGLES])


@dataclass(frozen=True, eq=False)
class Lighting:
    """The light of N samples: environment, by number, turned by 1/TURNS, and its gain by channel.

    illumination: all light together, as in theta.
    """

    environment: Int64[Array, "N"]
    turn: Int64[Array, "N"]
    gain: Float64[Array, "N 3"]
    illumination: Float32[Array, "N 9 3"]


@dataclass(frozen=True, eq=False)
class Lights:
    """What light is drawn from."""

    prior: LightPrior
    environments: Environments

    def draw(self, seed: int, indices: Int64[Array, "N"]) -> Lighting:
        """The light of these samples: pure in (seed, index)."""
        draws = uniforms(seed, Stream.LIGHT, indices, DRAWS)
        environment, turn = self._placed(draws[:, 0:2])
        light = self._turned(environment, turn)
        second = self._turned(*self._placed(draws[:, 2:4]))
        mixed = np.where(draws[:, 4] < self.prior.mix, draws[:, 5], 0.0)[:, None, None]
        light = light * (1 - mixed) + second * mixed
        light = light + self._lamp(draws[:, 6:12])
        gain = self._gain(light, draws[:, 12:15])
        illumination = (light * gain[:, None]).astype(np.float32)
        return Lighting(environment, turn, gain, illumination)

    def _placed(self, draws: Float64[Array, "N 2"]) -> tuple[Int64[Array, "N"], Int64[Array, "N"]]:
        number = (draws[:, 0] * len(self.environments)).astype(np.int64)
        return number, (draws[:, 1] * TURNS).astype(np.int64)

    def _turned(
        self, environment: Int64[Array, "N"], turn: Int64[Array, "N"]
    ) -> Float64[Array, "N 9 3"]:
        light = self.environments.illumination[environment]
        return turned_about_vertical(light, COSINES[turn], SINES[turn])

    def _lamp(self, draws: Float64[Array, "N 6"]) -> Float64[Array, "N 9 3"]:
        """A lamp's light, nothing for most."""
        turn = (draws[:, 1] * TURNS).astype(np.int64)
        y = _rounded(LOW + (HIGH - LOW) * draws[:, 2])
        across = _rounded(np.sqrt(1 - y * y))
        x, z = across * SINES[turn], across * COSINES[turn]
        warmth = draws[:, 3, None]
        colour = _rounded(WARM + (COOL - WARM) * warmth)
        strength = _rounded(self.prior.of("lamp_strength").ppf(draws[:, 4]))
        strength = np.where(draws[:, 0] < self.prior.lamp, strength, 0.0)
        lobes = harmonics(x, y, z) * BANDS
        low, high = SOFT
        lobes[:, 4:] *= (low + (high - low) * draws[:, 5])[:, None]
        return np.asarray(lobes[:, :, None] * (strength[:, None] * colour)[:, None])

    def _gain(
        self, light: Float64[Array, "N 9 3"], draws: Float64[Array, "N 3"]
    ) -> Float64[Array, "N 3"]:
        """What brings the light of a face to EXPOSED and nearer to white, times what is drawn."""
        front = light[:, 0] * CONSTANTS[0] + 0.5 * light[:, 2] * CONSTANTS[2]
        front = np.maximum(front, DARKEST)
        seen = front[:, 0] * LUMINANCE[0] + front[:, 1] * LUMINANCE[1] + front[:, 2] * LUMINANCE[2]
        cast = _rounded(np.log2(front / seen[:, None]))
        stops = self.prior.of("brightness").ppf(draws[:, 0])
        tint = [self.prior.of("tint").ppf(draws[:, k]) for k in (1, 2)]
        factors = np.stack([stops + tint[0], stops, stops + tint[1]], axis=1)
        factors -= self.prior.balance * cast
        return np.asarray(_rounded(np.exp2(factors)) * (EXPOSED / seen)[:, None])


def turned_about_vertical(
    light: Float64[Array, "N 9 3"], cosine: Float64[Array, "N"], sine: Float64[Array, "N"]
) -> Float64[Array, "N 9 3"]:
    """Light turned about y, from z towards x."""
    c, s = cosine[:, None], sine[:, None]
    one, y, z, x, xy, yz, zz, xz, xx = np.moveaxis(light * CONSTANTS[:, None], 1, 0)
    square_x, square_y, square_z = xx - zz, -xx - zz, 2 * zz
    cross = xz / 2
    new_x = c * c * square_x + 2 * c * s * cross + s * s * square_z
    new_z = s * s * square_x - 2 * c * s * cross + c * c * square_z
    new_cross = c * s * (square_z - square_x) + (c * c - s * s) * cross
    terms = (
        *(one, y, c * z - s * x, c * x + s * z, c * xy + s * yz, c * yz - s * xy),
        *(new_z / 2, 2 * new_cross, (new_x - square_y) / 2),
    )
    return np.asarray(np.stack(terms, axis=1) / CONSTANTS[:, None])


def harmonics(
    x: Float64[Array, "N"], y: Float64[Array, "N"], z: Float64[Array, "N"]
) -> Float64[Array, "N 9"]:
    """The basis of irradiance at unit directions, in double precision."""
    one = np.ones_like(x)
    terms = (one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y)
    return np.asarray(np.stack(terms, axis=1) * CONSTANTS)


def lights_of(recipe: Recipe) -> Lights | None:
    """What a recipe's light is drawn from, where that is of environments."""
    if recipe.light.kind == "coefficients":
        return None
    return Lights(recipe.light, read_environments(environments_path()))
