"""(recipe, seed, estimates, indices) -> theta: resample around estimates and perturb.

P(theta | I_real) ~ net(I_real) + noise (InverseFaceNet, Kim et al. 2018, bootstrapping).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegen.errors import RecipeError
from facegen.estimates import Estimates, EstimatesError
from facegen.parameters import Float32
from facegen.recipe import PERTURBATION, Recipe
from facegen.sampling import Indices, Prior, Stream, sample_theta, uniforms


@dataclass(frozen=True, eq=False)
class Resampling:
    """Samples around estimates, as given or centred: sample i perturbs estimate `rows(i)`.

    Estimates take turns, so that each is used equally often; or, weighted, each is drawn with a
    probability in proportion to its confidence.
    """

    noise: Prior
    estimates: Estimates
    weighted: bool

    def theta(self, seed: int, indices: Indices) -> Float32:
        """theta (N, m) float32 of these samples: a pure function of (noise, estimates, seed, i)."""
        parents = self.estimates.theta[self.rows(seed, indices)]
        return parents + sample_theta(self.noise, seed, indices)

    def parents(self, seed: int, indices: Indices) -> list[dict[str, Any] | None]:
        """The estimate each sample stems from, as its label says it."""
        keys = self.estimates.keys
        rows = self.rows(seed, indices).tolist()
        return [{"row": row, "key": keys[row] if keys else ""} for row in rows]

    def rows(self, seed: int, indices: Indices) -> NDArray[np.int64]:
        """The row of the estimate that each sample perturbs, (N,)."""
        if not self.weighted:
            return indices % len(self.estimates)
        draws = uniforms(seed, Stream.PARENT, indices, 1)[:, 0]
        return np.searchsorted(self._cumulative, draws, side="right").astype(np.int64)

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        """Where each estimate's share of [0, 1) ends, the last one open."""
        confidence = self.estimates.confidence
        if confidence is None:
            raise EstimatesError("/confidence is missing", "leave --weighted out")
        shares = np.cumsum(confidence) / confidence.sum()
        shares[np.flatnonzero(confidence)[-1] :] = np.inf
        return shares


def centred(estimates: Estimates, columns: list[slice], weighted: bool) -> Estimates:
    """The estimates moved so that their mean in these columns of theta is zero, the average person.

    What a picture does not show, a network answers with the mean of what it was trained on: trained
    around its own estimates, it would drift from round to round, for nothing holds that mean.
    """
    if not columns:
        return estimates
    confidence = estimates.confidence if weighted else None
    shares = np.ones(len(estimates)) if confidence is None else confidence / confidence.max()
    if np.count_nonzero(shares) < 2:
        raise EstimatesError("one estimate has no mean to be moved", "use --recipe bootstrap")
    theta = estimates.theta.copy()
    for part in columns:
        theta[:, part] -= (shares @ theta[:, part] / shares.sum()).astype(np.float32)
    return replace(estimates, theta=theta)


def check_recipe(recipe: Recipe, wanted: str) -> None:
    """Refuse a recipe of priors where proposals are wanted, and the reverse."""
    if recipe.kind == wanted:
        return
    if wanted == PERTURBATION:
        raise RecipeError(
            "states a prior, not what is added to estimates", "try --recipe bootstrap"
        )
    raise RecipeError("states what is added to estimates", "use it with `facegen bootstrap`")
