"""(recipe, seed, indices) -> theta: the prior, sampled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float32, Float64, Int64

from facegen.files import Array
from facegen.recipe.distributions import Distribution
from facegen.recipe.plan import identities_of
from facegen.recipe.recipe import IDENTITY_GROUPS, Recipe
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.parameters import Layout


@dataclass(frozen=True)
class Parent:
    """The estimate that a sample perturbs: its row in estimates.h5, and its key or ''."""

    row: int
    key: str


class Source(Protocol):
    """Where theta comes from; all after it is the same.

    distributions: of each dimension's independent draws.
    """

    @property
    def distributions(self) -> "Prior": ...

    def theta(self, seed: int, indices: Int64[Array, "N"]) -> Float32[Array, "N m"]:
        """theta of these samples: a pure function of (source, seed, index)."""
        ...

    def parents(self, seed: int, indices: Int64[Array, "N"]) -> list[Parent | None]:
        """The estimate that each sample perturbs, if it does."""
        ...

    def independent(
        self, seed: int, indices: Int64[Array, "N"], theta: Float32[Array, "N m"]
    ) -> list[Float32[Array, "k"]]:
        """For each column of these samples' theta, the independent draws behind it."""
        ...


@dataclass(frozen=True)
class Prior:
    """The distributions of every dimension of theta, equal ones drawn together."""

    blocks: tuple[tuple[Distribution, Int64[Array, "k"]], ...]
    width: int

    def ppf(self, uniforms: Float64[Array, "N m"]) -> Float32[Array, "N m"]:
        """Uniforms in (0, 1) -> draws."""
        theta = np.empty(uniforms.shape, np.float32)
        for distribution, columns in self.blocks:
            theta[:, columns] = distribution.ppf(uniforms[:, columns])
        return theta

    def moments(self) -> tuple[Float32[Array, "m"], Float32[Array, "m"]]:
        """Mean and standard deviation of every dimension."""
        mean, sd = np.zeros((2, self.width), np.float32)
        for distribution, columns in self.blocks:
            mean[columns], sd[columns] = distribution.mean, distribution.sd
        return mean, sd


@dataclass(frozen=True)
class PriorSource:
    """theta from the recipe's prior; what an identity keeps is drawn once for all its samples."""

    recipe: Recipe
    distributions: Prior
    identity_columns: tuple[slice, ...]

    def theta(self, seed: int, indices: Int64[Array, "N"]) -> Float32[Array, "N m"]:
        theta = draw_theta(self.distributions, seed, indices)
        if self.recipe.identities:
            identities = identities_of(self.recipe, indices)
            of_identity = draw_theta(self.distributions, seed, identities, Stream.IDENTITY)
            for columns in self.identity_columns:
                theta[:, columns] = of_identity[:, columns]
        return theta

    def parents(self, seed: int, indices: Int64[Array, "N"]) -> list[Parent | None]:
        return [None] * len(indices)

    def independent(
        self, seed: int, indices: Int64[Array, "N"], theta: Float32[Array, "N m"]
    ) -> list[Float32[Array, "k"]]:
        if self.recipe.identities is None:
            return list(theta.T)
        once = np.unique(identities_of(self.recipe, indices), return_index=True)[1]
        identity_columns = np.zeros(theta.shape[1], bool)
        for columns in self.identity_columns:
            identity_columns[columns] = True
        return [
            theta[once, c] if identity_columns[c] else theta[:, c] for c in range(theta.shape[1])
        ]


def source_of(recipe: Recipe, layout: Layout) -> PriorSource:
    """Where the recipe's theta comes from in this layout."""
    identity_columns = tuple(layout.slices[name] for name in IDENTITY_GROUPS)
    return PriorSource(recipe, prior_of(recipe, layout), identity_columns)


def prior_of(recipe: Recipe, layout: Layout) -> Prior:
    """The recipe's distributions over theta in this layout."""
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


def draw_theta(
    prior: Prior, seed: int, indices: Int64[Array, "N"], stream: Stream = Stream.THETA
) -> Float32[Array, "N m"]:
    """Draws from the prior: a pure function of (prior, seed, stream, index)."""
    return prior.ppf(uniforms(seed, stream, indices, prior.width))
