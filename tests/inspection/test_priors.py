"""Whether numbers follow a distribution: true ones pass, others do not."""

import numpy as np
import pytest

from facegen.inspection.checks.priors import (
    cell_edges,
    chi_square,
    fitted_weights,
    ks_distance,
    rounding_of,
)
from facegen.recipe.distributions import Constant, Mixture, Normal, Uniform

DISTRIBUTIONS = [
    Normal(1.0, 2.0),
    Uniform(-12, 12),
    Constant(0.1),
    Mixture((0.6, 0.2, 0.2), (Normal(0.0, 1.0), Uniform(-2.0, 3.0), Constant(0.3))),
]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda d: type(d).__name__)
def test_draws_are_near_their_own_distribution_only(distribution):
    uniforms = np.random.default_rng(0).uniform(size=20_000)
    values = distribution.ppf(uniforms).astype(np.float32)
    rounding = rounding_of(values)
    near = ks_distance(distribution, values.astype(np.float64), rounding)
    far = ks_distance(distribution, values.astype(np.float64) * 1.1 + 0.02, rounding)
    assert near < 2 / np.sqrt(len(values))
    assert far > 2 * near


def test_a_mixture_with_other_weights_is_told_apart():
    """Scalismo's way, a new component for each draw of another: 0.6/0.2/0.2 as 0.60/0.32/0.08."""
    stated = DISTRIBUTIONS[-1]
    other = Mixture((0.60, 0.32, 0.08), stated.components)
    uniforms = np.random.default_rng(0).uniform(size=20_000)
    for mixture, same in ((stated, True), (other, False)):
        values = mixture.ppf(uniforms).astype(np.float32)
        edges = cell_edges(stated, rounding_of(values), len(values))
        counts = np.histogram(values.astype(np.float64), edges)[0]
        assert (chi_square(stated, edges, counts) > 1e-3) is same
        assert np.allclose(fitted_weights(stated, edges, counts), mixture.weights, atol=0.02)
