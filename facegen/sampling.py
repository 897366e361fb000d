"""(recipe, seed, indices) -> theta: the prior, sampled.

Sample i owns a fixed block of raw Philox bits (Salmon et al., Parallel Random Numbers: As Easy as
1, 2, 3, 2011), found by its index alone: the counter is the sample, the key is the seed and the
stream. Bits become uniforms, uniforms become draws. Nothing else has a say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegen.distributions import Distribution
from facegen.errors import RecipeError, located
from facegen.geometry import Crop
from facegen.parameters import CHANNELS, Float32, Layout
from facegen.plan import identities_of
from facegen.recipe import KEPT, CameraPrior, Recipe

Float64 = NDArray[np.float64]
Indices = NDArray[np.int64]

WORDS_PER_COUNT = 4
SEEDS = range(2**63)


class Stream(IntEnum):
    """What is drawn from; each has bits of its own, so that one never shifts another."""

    THETA = 0
    CAMERA = 1
    BACKGROUND = 2
    PARENT = 3
    IDENTITY = 4
    PICTURE = 5


@dataclass(frozen=True)
class Prior:
    """The distributions of every dimension of theta, equal ones drawn together."""

    blocks: tuple[tuple[Distribution, NDArray[np.intp]], ...]
    width: int

    def draw(self, uniforms: Float64) -> Float32:
        """Uniforms (N, m) -> draws (N, m) float32."""
        theta = np.empty(uniforms.shape, np.float32)
        for distribution, columns in self.blocks:
            theta[:, columns] = distribution.draw(uniforms[:, columns])
        return theta


@dataclass(frozen=True)
class PriorSource:
    """theta from the recipe's prior: what an identity keeps, and what each sample draws anew."""

    recipe: Recipe
    prior: Prior
    kept: tuple[slice, ...]

    def theta(self, seed: int, indices: Indices) -> Float32:
        """theta (N, m) float32 of these samples: a pure function of (recipe, seed, index)."""
        theta = sample_theta(self.prior, seed, indices)
        if self.recipe.identities:
            owners = identities_of(self.recipe, indices)
            people = sample_theta(self.prior, seed, owners, Stream.IDENTITY)
            for columns in self.kept:
                theta[:, columns] = people[:, columns]
        return theta

    def parents(self, seed: int, indices: Indices) -> list[dict[str, Any] | None]:
        """Draws from a prior have no parents."""
        return [None] * len(indices)


def sample_theta(
    prior: Prior, seed: int, indices: Indices, stream: Stream = Stream.THETA
) -> Float32:
    """Draws from the prior (N, m) float32: a pure function of (prior, seed, stream, index)."""
    return prior.draw(uniforms(seed, stream, indices, prior.width))


def source_of(recipe: Recipe, layout: Layout) -> PriorSource:
    """Where the recipe's theta comes from in this layout."""
    kept = tuple(layout.slices[name] for name in KEPT)
    return PriorSource(recipe, prior_of(recipe, layout), kept)


def prior_of(recipe: Recipe, layout: Layout) -> Prior:
    """The recipe's prior over theta in this layout."""
    components = [
        distribution
        for group in layout.groups
        for distribution in recipe.priors[group.name].components(group)
    ]
    return together(components)


def together(components: Sequence[Distribution]) -> Prior:
    """One distribution per column, the equal ones gathered into blocks."""
    columns: dict[Distribution, list[int]] = {}
    for column, distribution in enumerate(components):
        columns.setdefault(distribution, []).append(column)
    blocks = tuple((d, np.array(c, np.intp)) for d, c in columns.items())
    return Prior(blocks, len(components))


def sample_cameras(camera: CameraPrior, seed: int, indices: Indices) -> tuple[Float64, Crop]:
    """The distance in mm (N,) and the crop of these samples."""
    draws = uniforms(seed, Stream.CAMERA, indices, 4)
    distance = camera.distance.draw(draws[:, 0])
    return distance, Crop(camera.scale.draw(draws[:, 1]), camera.shift.draw(draws[:, 2:]))


def sample_colours(recipe: Recipe, seed: int, indices: Indices, nodes: int) -> Float64:
    """So many of the background's colours for each of these samples (N, nodes, 3), in [0, 1]."""
    draws = uniforms(seed, Stream.BACKGROUND, indices, nodes * len(CHANNELS))
    draws = draws.reshape(len(indices), nodes, len(CHANNELS))
    colours = [d.draw(draws[..., k]) for k, d in enumerate(recipe.background.colours)]
    return np.clip(np.stack(colours, axis=-1), 0, 1)


def sample_crops(seed: int, indices: Indices) -> Float64:
    """The uniforms (N, 4) that choose a picture for the background, and where to crop it."""
    return uniforms(seed, Stream.PICTURE, indices, 4)


def uniforms(seed: int, stream: Stream, indices: Indices, width: int) -> Float64:
    """Uniforms in (0, 1), (N, width) float64: sample i's own, whoever asks and in what company."""
    blocks = -(-width // WORDS_PER_COUNT)
    bits = np.empty((len(indices), blocks * WORDS_PER_COUNT), np.uint64)
    for start, stop in _runs(indices):
        generator = np.random.Philox(
            key=np.array([seed, stream], np.uint64), counter=int(indices[start]) * blocks
        )
        bits[start:stop] = generator.random_raw((stop - start) * bits.shape[1]).reshape(
            stop - start, -1
        )
    whole = (bits[:, :width] >> np.uint64(11)).astype(np.float64)
    # The last step would round up to one, where a normal is infinite.
    return np.minimum((whole + 0.5) * 2.0**-53, 1 - 2.0**-53)


def _runs(indices: Indices) -> Iterator[tuple[int, int]]:
    """Stretches of consecutive indices as (start, stop) positions."""
    breaks = (np.flatnonzero(np.diff(indices) != 1) + 1).tolist()
    return ((a, b) for a, b in pairwise([0, *breaks, len(indices)]) if b > a)


def check_camera(camera: CameraPrior, radius: float) -> None:
    """Refuse a recipe whose camera may stand inside the head, or whose picture has no size."""
    bounds = np.array([2.0**-54, 1 - 2.0**-53])
    with located("[camera]", "distance"):
        if camera.distance.draw(bounds).min() < radius:
            raise RecipeError(
                f"a draw can fall below {radius:.0f} mm, inside the head", "raise its lower end"
            )
    with located("[crop]", "scale"):
        if camera.scale.draw(bounds).min() <= 0:
            raise RecipeError("a draw can fall to zero or below", "raise its lower end")
