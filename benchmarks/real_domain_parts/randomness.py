"""Random numbers of one photograph: each stage's own, found by seed and index alone."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Random = np.random.Generator


class Stage(IntEnum):
    """What draws."""

    PERSON = 0
    CAMERA = 1
    BODY = 2
    LIGHT = 3
    SKIN = 4
    BACKGROUND = 5
    DEVELOPING = 6


def random_of(seed: int, index: int, stage: Stage) -> Random:
    """The generator of one stage of one photograph."""
    return np.random.Generator(np.random.PCG64([seed, index, stage]))


def choose(rng: Random, weights: dict[str, float]) -> str:
    """One of the names, as often as its weight says."""
    names = list(weights)
    return names[rng.choice(len(names), p=list(weights.values()))]


def tint(rng: Random, sd: float) -> NDArray[np.float64]:
    """A colour (3,) of a light that is white but for a little warmth or coolness."""
    warmth = np.clip(rng.normal(0, sd), -1, 1)
    return np.array([1 + 0.35 * warmth, 1 + 0.02 * rng.normal(), 1 - 0.45 * warmth])
