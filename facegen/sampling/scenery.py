"""What stands behind heads in photographs: places, rooms, gradients; drawn, not yet painted."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from facegen.files import Array
from facegen.recipe.background import SCENERY, BackgroundPrior
from facegen.sampling.lights import Lights
from facegen.sampling.randomness import Stream, uniforms

NOISE, GRADIENT, INTERIOR, ENVIRONMENT = range(len(SCENERY))
# Of a sample's uniforms: its kind, how it is seen, and what is in it.
KIND, VIEW, SHAPES, DRAWS = 0, 1, 8, 104


@dataclass(frozen=True, eq=False)
class Scenery:
    """What stands behind N heads.

    kind: of SCENERY; environment and turn: of the place, by number and in 1/TURNS; gain: of its
    light, by channel; draws: uniforms that shape it.
    """

    kind: UInt8[Array, "N"]
    environment: Int64[Array, "N"]
    turn: Int64[Array, "N"]
    gain: Float32[Array, "N 3"]
    draws: Float32[Array, "N {DRAWS}"]

    def __getitem__(self, rows: Any) -> "Scenery":
        return Scenery(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw_scenery(
    prior: BackgroundPrior, seed: int, indices: Int64[Array, "N"], lights: Lights | None
) -> Scenery:
    """What stands behind these samples' heads; lights: what theirs is drawn from, if natural."""
    draws = uniforms(seed, Stream.SCENERY, indices, DRAWS)
    if lights is None:
        nowhere = np.zeros(len(indices), np.int64)
        gain = np.ones((len(indices), 3), np.float32)
        return Scenery(_kinds(prior, draws[:, KIND]), nowhere, nowhere, gain, _float32(draws))
    lighting = lights.draw(seed, indices)
    return Scenery(
        _kinds(prior, draws[:, KIND]),
        lighting.environment,
        lighting.turn,
        _float32(lighting.gain),
        _float32(draws),
    )


def _float32(values: Float64[Array, "*n"]) -> Float32[Array, "*n"]:
    return values.astype(np.float32)


def _kinds(prior: BackgroundPrior, draws: Float64[Array, "N"]) -> UInt8[Array, "N"]:
    steps = np.cumsum([prior.share(kind) for kind in SCENERY])
    numbers = np.searchsorted(steps, draws, side="right")
    return numbers.clip(0, len(SCENERY) - 1).astype(np.uint8)
