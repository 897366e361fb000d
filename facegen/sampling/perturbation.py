"""(recipe, seed, estimates, indices) -> theta: resample around estimates and perturb.

P(theta | I_real) ~ net(I_real) + noise (InverseFaceNet, Kim et al. 2018, bootstrapping).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64

from facegen.files import Array
from facegen.recipe.distributions import Constant, Normal
from facegen.recipe.recipe import Recipe
from facegen.sampling.estimates import Estimates, EstimatesError
from facegen.sampling.prior import Parent, Prior, draw_theta, prior_of
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.parameters import Layout

TINY = np.float32(1e-12)


class Around(NamedTuple):
    """How estimates are used: weighted by their confidence, and as far around as their /sd says."""

    weighted: bool = False
    adaptive: bool = False


@dataclass(frozen=True, eq=False)
class Perturbation:
    """Samples around estimates: sample i perturbs estimate `rows(i)`.

    Estimates take turns, so that each is used equally often; or, weighted, each is drawn with a
    probability in proportion to its confidence. distributions: of what is added; or, adaptive, of
    what is multiplied by the estimate's standard deviations and added.
    """

    distributions: Prior
    estimates: Estimates
    how: Around

    def theta(self, seed: int, indices: Int64[Array, "N"]) -> Float32[Array, "N m"]:
        draws, rows = draw_theta(self.distributions, seed, indices), self.rows(seed, indices)
        return np.asarray(self.estimates.theta[rows] + self._scale(rows) * draws)

    def attributes(
        self, seed: int, indices: Int64[Array, "N"]
    ) -> Mapping[str, Float32[Array, "N"]]:
        return {}

    def parents(self, seed: int, indices: Int64[Array, "N"]) -> list[Parent | None]:
        keys = self.estimates.keys
        rows = self.rows(seed, indices).tolist()
        return [Parent(row, keys[row] if keys else "") for row in rows]

    def independent(
        self, seed: int, indices: Int64[Array, "N"], theta: Float32[Array, "N m"]
    ) -> list[Float32[Array, "k"]]:
        rows = self.rows(seed, indices)
        apart = theta - self.estimates.theta[rows]
        return list((apart / np.maximum(self._scale(rows), TINY)).T)

    def rows(self, seed: int, indices: Int64[Array, "N"]) -> Int64[Array, "N"]:
        """The row of the estimate that each sample perturbs."""
        if not self.how.weighted:
            return indices % len(self.estimates)
        draws = uniforms(seed, Stream.PARENT, indices, 1)[:, 0]
        return np.searchsorted(self._cumulative, draws, side="right").astype(np.int64)

    def _scale(self, rows: Int64[Array, "N"]) -> Float32[Array, "N m"]:
        """What draws around these estimates are multiplied by."""
        if not self.how.adaptive:
            return np.ones((1, self.distributions.width), np.float32)
        sd = self.estimates.sd
        assert sd is not None
        return np.asarray(sd[rows])

    @cached_property
    def _cumulative(self) -> Float64[Array, "E"]:
        """Where each estimate's share of [0, 1) ends, the last one open."""
        confidence = self.estimates.confidence
        if confidence is None:
            raise EstimatesError("/confidence is missing", "leave --weighted out")
        shares: Array = np.cumsum(confidence) / confidence.sum()
        shares[np.flatnonzero(confidence)[-1] :] = np.inf
        return shares


def perturbation_of(
    recipe: Recipe, layout: Layout, estimates: Estimates, how: Around
) -> Perturbation:
    """Samples around these estimates, the recipe's groups of them moved to zero mean."""
    columns = [layout.slices[group] for group in recipe.zero_mean]
    moved = with_zero_mean(estimates, columns, how.weighted)
    added = standard_of(estimates) if how.adaptive else prior_of(recipe, layout)
    return Perturbation(added, moved, how)


def standard_of(estimates: Estimates) -> Prior:
    """Draws of deviation one, for what has one, that /sd is multiplied by."""
    sd = estimates.sd
    if sd is None:
        raise EstimatesError("/sd is missing", "leave --adaptive out")
    if sd.min() < 0 or (np.count_nonzero(sd, axis=0) % len(sd)).any():
        raise EstimatesError("/sd is below zero, or zero in some rows alone", "write what it is")
    varies = sd[0] > 0
    blocks = ((Normal(0.0, 1.0), varies), (Constant(0.0), ~varies))
    return Prior(
        tuple((kind, np.flatnonzero(columns)) for kind, columns in blocks if columns.any()),
        len(varies),
    )


def with_zero_mean(estimates: Estimates, columns: Sequence[slice], weighted: bool) -> Estimates:
    """The estimates moved so that their mean in these columns of theta is zero, the average person.

    What an image does not show, a network answers with the mean of what it was trained on: trained
    around its own estimates, it would drift from round to round, for nothing holds that mean.
    """
    if not columns:
        return estimates
    confidence = estimates.confidence if weighted else None
    shares = np.ones(len(estimates)) if confidence is None else confidence / confidence.max()
    if np.count_nonzero(shares) < 2:
        raise EstimatesError("one estimate has no mean to move to zero", "use --recipe bootstrap")
    theta = estimates.theta.copy()
    for part in columns:
        theta[:, part] -= (shares @ theta[:, part] / shares.sum()).astype(np.float32)
    return replace(estimates, theta=theta)
