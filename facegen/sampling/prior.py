"""(recipe, seed, indices) -> theta: the prior, sampled."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from facegen.files import Array
from facegen.models.attributes import Attributes, Conditional
from facegen.models.morphable_model import FaceUnits
from facegen.recipe.distributions import Constant, Distribution, Empirical, Mixture
from facegen.recipe.plan import identities_of
from facegen.recipe.recipe import IDENTITY_GROUPS, Recipe
from facegen.sampling.expressions import Expressions, expressions_of
from facegen.sampling.grid import grid_columns, grid_steps
from facegen.sampling.lights import Lights, lights_of
from facegen.sampling.people import CHANGEABLE, conditional_of, draw_attributes
from facegen.sampling.randomness import Stream, uniforms
from facegen.sampling.symmetry import mirror_pairs
from facegen.scene.parameters import Group, Layout

REFERENCE, REFERENCE_PARTS, REFERENCE_SEED = 100_000, 100, 2**62 + 1


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

    def attributes(
        self, seed: int, indices: Int64[Array, "N"]
    ) -> Mapping[str, Float32[Array, "N"]]:
        """The attributes that the recipe states, by name."""
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

    def components(self) -> dict[int, Distribution]:
        """The distribution of each column."""
        return {column: d for d, columns in self.blocks for column in columns.tolist()}


@dataclass(frozen=True, eq=False)
class PriorSource:
    """theta from the recipe's prior; what an identity keeps is drawn once for all its samples.

    base: each dimension's own distribution; conditional: how stated attributes change them; lights:
    what natural light is drawn from; expressions: what is added to [expression].
    """

    recipe: Recipe
    layout: Layout
    base: Prior
    conditional: Conditional | None
    lights: Lights | None = None
    expressions: Expressions | None = None

    def theta(self, seed: int, indices: Int64[Array, "N"]) -> Float32[Array, "N m"]:
        theta = self.base.ppf(self._uniforms(seed, indices))
        if self.recipe.identities:
            identities = identities_of(self.recipe, indices)
            of_identity = draw_theta(self.base, seed, identities, Stream.IDENTITY)
            theta[:, self.identity_columns] = of_identity[:, self.identity_columns]
        self._condition(theta, self.attributes(seed, indices))
        self._add(theta, seed, indices)
        steps = grid_steps(self.recipe, indices)
        for axis, columns in grid_columns(self.recipe, self.layout):
            theta[:, columns] = axis.values[steps[axis.name]][:, None]
        return theta

    def attributes(
        self, seed: int, indices: Int64[Array, "N"]
    ) -> Mapping[str, Float32[Array, "N"]]:
        if self.conditional is None:
            return {}
        whose = identities_of(self.recipe, indices)
        draws = draw_attributes(self.recipe, seed, whose, grid_steps(self.recipe, indices))
        return {name: draws[name] for name in self.conditional.names}

    def parents(self, seed: int, indices: Int64[Array, "N"]) -> list[Parent | None]:
        return [None] * len(indices)

    def independent(
        self, seed: int, indices: Int64[Array, "N"], theta: Float32[Array, "N m"]
    ) -> list[Float32[Array, "k"]]:
        """What a grid states has no draws, nor has a side that was given the other's."""
        once = np.arange(len(indices))
        if self.recipe.identities:
            once = np.unique(identities_of(self.recipe, indices), return_index=True)[1]
        draws = list(theta.T)
        for c in self.identity_columns.tolist():
            draws[c] = theta[once, c]
        for c in self._gridded:
            draws[c] = theta[:0, c]
        for c, alike in self._alike(seed, indices):
            draws[c] = draws[c][~alike] if len(draws[c]) else draws[c]
        return draws

    @cached_property
    def _gridded(self) -> list[int]:
        """The columns that follow the grid; of one of attributes, all that attributes change."""
        axes = self.recipe.grid.axes if self.recipe.grid else ()
        stated = [c for _, columns in grid_columns(self.recipe, self.layout) for c in columns]
        people = any(axis.path[0] == "attributes" for axis in axes)
        return [*stated, *(self.identity_columns.tolist() if people else [])]

    def _uniforms(self, seed: int, indices: Int64[Array, "N"]) -> Float64[Array, "N m"]:
        draws = uniforms(seed, Stream.THETA, indices, self.base.width)
        if not self._pairs:
            return draws
        for (left, right), (_, alike) in zip(self._pairs, self._alike(seed, indices), strict=True):
            draws[:, right] = np.where(alike, draws[:, left], draws[:, right])
        return draws

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        """The columns (left, right) of which the recipe says that they are mostly alike."""
        if self.recipe.symmetric is None:
            return []
        start = self.layout.slices["expression"].start
        pairs = mirror_pairs(self.layout.named("expression"))
        return [(start + left, start + right) for left, right in pairs]

    def _alike(
        self, seed: int, indices: Int64[Array, "N"]
    ) -> Iterator[tuple[int, Bool[Array, "N"]]]:
        """Each right column, and in which samples it takes the left one's uniform."""
        share, pairs = self.recipe.symmetric or 0.0, self._pairs
        chosen = uniforms(seed, Stream.SYMMETRY, indices, max(1, len(pairs))) < share
        return ((right, chosen[:, k]) for k, (_, right) in enumerate(pairs))

    @cached_property
    def identity_columns(self) -> Int64[Array, "k"]:
        """The columns of theta that all samples of an identity share."""
        slices = [self.layout.slices[name] for name in IDENTITY_GROUPS]
        return np.concatenate([np.arange(s.start, s.stop) for s in slices])

    @cached_property
    def distributions(self) -> Prior:
        """Every dimension's distribution; one that attributes change is known by REFERENCE draws.

        A grid's is that of its values.
        """
        stated = self.base.components()
        for axis, columns in grid_columns(self.recipe, self.layout):
            values = tuple(Constant(value) for value in axis.values.tolist())
            mixture = Mixture((1 / axis.steps,) * axis.steps, values)
            stated = {**stated, **dict.fromkeys(columns, mixture)}
        changed = self._changed(stated)
        if changed:
            draws = self._reference()
            stated |= {c: Empirical(np.sort(draws[:, c].astype(np.float64))) for c in changed}
        return together([stated[column] for column in range(self.base.width)])

    def _changed(self, stated: Mapping[int, Distribution]) -> list[int]:
        """The columns that are not drawn from a distribution of their own."""
        people = self.identity_columns.tolist() if self.conditional else []
        slices, added = self.layout.slices, []
        added += [slices["illumination"]] if self.lights else []
        added += [slices["expression"]] if self.expressions else []
        gridded = {c for _, columns in grid_columns(self.recipe, self.layout) for c in columns}
        changed = [column for column in people if stated[column] in CHANGEABLE]
        return [*changed, *(c for s in added for c in range(s.start, s.stop) if c not in gridded)]

    def _add(self, theta: Float32[Array, "N m"], seed: int, indices: Int64[Array, "N"]) -> None:
        """Natural light and units of the face, in place."""
        if self.expressions is not None:
            theta[:, self.layout.slices["expression"]] += self.expressions.draw(seed, indices)
        if self.lights is not None:
            drawn = self.lights.draw(seed, indices).illumination
            theta[:, self.layout.slices["illumination"]] = drawn.reshape(len(theta), -1)

    def _reference(self) -> Float32[Array, "n m"]:
        """theta of other people, as many as make a distribution."""
        parts = np.array_split(np.arange(REFERENCE), REFERENCE_PARTS)
        return np.concatenate([self._strangers(indices) for indices in parts])

    def _strangers(self, indices: Int64[Array, "N"]) -> Float32[Array, "N m"]:
        theta = draw_theta(self.base, REFERENCE_SEED, indices)
        grid = self.recipe.grid
        steps = grid.steps_at(indices % grid.points) if grid else {}
        draws = draw_attributes(self.recipe, REFERENCE_SEED, indices, steps)
        self._condition(theta, draws)
        self._add(theta, REFERENCE_SEED, indices)
        return theta

    def _condition(
        self, theta: Float32[Array, "N m"], attributes: Mapping[str, Float32[Array, "N"]]
    ) -> None:
        """Change shape and reflectance as the attributes say, in place."""
        if self.conditional is None:
            return
        known = np.column_stack([attributes[name] for name in self.conditional.names])
        for group in IDENTITY_GROUPS:
            columns = self.layout.slices[group]
            theta[:, columns] = self.conditional.coefficients(
                group, known.astype(np.float64), theta[:, columns]
            )


def source_of(
    recipe: Recipe,
    layout: Layout,
    attributes: Attributes | None = None,
    face_units: FaceUnits | None = None,
) -> PriorSource:
    """Where the recipe's theta comes from in this layout; attributes and units: the model's."""
    prior = prior_of(recipe, layout)
    grid_columns(recipe, layout)
    if recipe.symmetric is not None:
        mirror_pairs(layout.named("expression"))
    conditional = conditional_of(recipe, layout, prior.components(), attributes)
    expressions = expressions_of(recipe.face_units, face_units)
    return PriorSource(recipe, layout, prior, conditional, lights_of(recipe), expressions)


def prior_of(recipe: Recipe, layout: Layout) -> Prior:
    """The recipe's distributions over theta in this layout."""
    components = [
        distribution for group in layout.groups for distribution in _distributions(recipe, group)
    ]
    return together(components)


def _distributions(recipe: Recipe, group: Group) -> list[Distribution]:
    """One for each component; none is drawn of a group that the recipe has no prior of."""
    if group.name not in recipe.priors:
        return [Constant(0.0)] * group.width
    return recipe.priors[group.name].components(group)


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
