"""Each distribution draws what its name, mean, sd and CDF say."""

import math

import numpy as np
import pytest
from scipy import stats

from facegen.errors import RecipeError
from facegen.recipe.distributions import Constant, LogUniform, Mixture, Normal, Scaled, Uniform

COUNT = 100_000
GRID = (np.arange(COUNT) + 0.5) / COUNT
RANDOM = np.random.default_rng(5).random(COUNT)
MIXTURE = Mixture((0.6, 0.2, 0.2), (Normal(-50, 1), Uniform(0, 2), Normal(50, 3)))

LONG_SD = float(stats.loguniform(300, 4000).std())

CLOSED_FORMS = [
    (Constant(3.5), 3.5, 0.0),
    (Uniform(-12, 12), 0.0, 12 / math.sqrt(3)),
    (Uniform(0.6, 1.2), 0.9, 0.6 / math.sqrt(12)),
    (Normal(2, 0.05), 2.0, 0.05),
    (LogUniform(300, 4000), 3700 / math.log(40 / 3), LONG_SD),
    (LogUniform(1, math.e), math.e - 1, math.sqrt((math.e - 1) * (3 - math.e) / 2)),
    (Scaled(LogUniform(0.3, 4), 1000), 3700 / math.log(40 / 3), LONG_SD),
    (Mixture((0.25, 0.75), (Constant(0), Constant(4))), 3.0, math.sqrt(3)),
    (Mixture((0.5, 0.5), (Normal(-3, 4), Normal(3, 4))), 0.0, 5.0),
]
SPREAD = [Uniform(-12, 12), LogUniform(1e-5, 1e-3), Normal(2, 0.05), MIXTURE]


@pytest.mark.parametrize(("distribution", "mean", "sd"), CLOSED_FORMS)
def test_mean_and_sd_are_the_closed_forms(distribution, mean, sd):
    assert distribution.mean == pytest.approx(mean)
    assert distribution.sd == pytest.approx(sd)


@pytest.mark.parametrize(("distribution", "mean", "sd"), CLOSED_FORMS)
def test_draws_have_the_stated_mean_and_sd(distribution, mean, sd):
    draws = distribution.ppf(GRID)
    assert draws.mean() == pytest.approx(mean, abs=1e-3 * max(sd, 1e-9))
    assert draws.std() == pytest.approx(sd, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize(
    ("distribution", "peer"),
    [
        (Uniform(-2, 6), stats.uniform(-2, 8)),
        (LogUniform(0.2, 3), stats.loguniform(0.2, 3)),
        (Normal(1, 0.5), stats.norm(1, 0.5)),
    ],
)
def test_draw_and_cdf_are_those_of_scipy(distribution, peer):
    x = np.linspace(-4, 8, 101)
    np.testing.assert_allclose(distribution.ppf(GRID[::97]), peer.ppf(GRID[::97]), rtol=1e-12)
    np.testing.assert_allclose(distribution.cdf(x), peer.cdf(x), atol=1e-14)


@pytest.mark.parametrize("distribution", SPREAD)
def test_random_draws_pass_kolmogorov_smirnov(distribution):
    assert stats.kstest(distribution.ppf(RANDOM), distribution.cdf).pvalue > 1e-3


@pytest.mark.parametrize("distribution", SPREAD)
def test_a_larger_uniform_never_gives_a_smaller_draw_within_a_component(distribution):
    draws = distribution.ppf(GRID)
    steps = np.diff(draws)
    assert np.count_nonzero(steps < 0) == 0
    assert distribution.ppf(GRID[[7]])[0] == draws[7]


def test_the_extreme_uniforms_give_finite_draws():
    extremes = np.array([2.0**-54, 1 - 2.0**-53])
    for distribution in [*SPREAD, Constant(1)]:
        assert np.isfinite(distribution.ppf(extremes)).all()


@pytest.mark.parametrize("distribution", [LogUniform(0.2, 3), LogUniform(1e-5, 1e-3)])
def test_equal_factors_are_equally_likely(distribution):
    low, high = distribution.low, distribution.high
    middle = math.sqrt(low * high)
    np.testing.assert_allclose(distribution.ppf(np.array([0.5])), middle)
    np.testing.assert_allclose(distribution.cdf(distribution.ppf(GRID)), GRID, atol=1e-12)
    ends = np.array([-1.0, 0.0, low, middle, high, 2 * high])
    np.testing.assert_allclose(distribution.cdf(ends), [0, 0, 0, 0.5, 1, 1], atol=1e-12)


def test_the_sd_of_a_normal_is_no_variance():
    assert Normal(0, 0.05).ppf(GRID).std() == pytest.approx(0.05, rel=1e-3)


def test_a_constant_has_all_its_probability_at_its_value():
    np.testing.assert_array_equal(Constant(2).cdf(np.array([1.9, 2.0, 2.1])), [0, 1, 1])


def test_a_mixture_chooses_once_with_exactly_its_weights():
    draws = MIXTURE.ppf(RANDOM)
    counts = [np.sum(draws < -25), np.sum(abs(draws) < 25), np.sum(draws > 25)]
    assert sum(counts) == COUNT
    assert stats.chisquare(counts, np.array(MIXTURE.weights) * COUNT).pvalue > 1e-3


def test_within_a_mixture_each_component_keeps_its_own_distribution():
    draws = MIXTURE.ppf(RANDOM)
    for low, high, component in zip((-99, -1, 25), (-25, 3, 99), MIXTURE.components, strict=True):
        part = draws[(draws > low) & (draws < high)]
        assert stats.kstest(part, component.cdf).pvalue > 1e-3


def test_a_mixture_of_mixtures_multiplies_the_weights():
    inner = Mixture((0.5, 0.5), (Constant(1), Constant(2)))
    draws = Mixture((0.2, 0.8), (Constant(0), inner)).ppf(GRID)
    np.testing.assert_allclose(np.bincount(draws.astype(int)) / COUNT, [0.2, 0.4, 0.4], atol=2e-5)


def test_draws_do_not_depend_on_the_array_around_them():
    table = RANDOM[:600].reshape(20, 30)
    for distribution in SPREAD:
        whole = distribution.ppf(table)
        assert whole.shape == table.shape
        np.testing.assert_array_equal(whole[3:5, ::2], distribution.ppf(table[3:5, ::2]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Normal(0, -1), "sd -1 is not positive"),
        (lambda: Normal(0, 0), "sd 0 is not positive"),
        (lambda: Normal(math.nan, 1), "mean is nan"),
        (lambda: Uniform(1, 1), "low 1 is not below high 1"),
        (lambda: Uniform(2, 1), "low 2 is not below high 1"),
        (lambda: Uniform(0, math.inf), "high is inf"),
        (lambda: LogUniform(0, 1), "low 0 is not above 0"),
        (lambda: LogUniform(-1, 1), "low -1 is not above 0"),
        (lambda: LogUniform(3, 3), "low 3 is not above 0 and below high 3"),
        (lambda: LogUniform(1, math.inf), "high is inf"),
        (lambda: Constant(math.nan), "value is nan"),
        (lambda: Mixture((), ()), "needs components"),
        (lambda: Mixture((1.0,), ()), "each with a weight"),
        (lambda: Mixture((0.5, 0.4), (Constant(0), Constant(1))), "sum to 0.9"),
        (lambda: Mixture((1.5, -0.5), (Constant(0), Constant(1))), "must be positive"),
        (lambda: Mixture((math.nan, 1), (Constant(0), Constant(1))), "must be positive"),
    ],
)
def test_what_cannot_be_a_distribution_is_refused(make, message):
    with pytest.raises(RecipeError, match=message):
        make()
