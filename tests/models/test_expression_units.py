"""A recipe knows its unit of expression: converted to the model's, or refused naming another."""

import numpy as np
import pytest

from facegen.errors import RecipeError
from facegen.recipe.distributions import Mixture, Normal, Scaled, Uniform
from facegen.recipe.loading import load
from facegen.sampling.prior import draw_theta, prior_of
from facegen.scene.parameters import POSTER_UNIT, STANDARD_DEVIATION, WEIGHT, layout_of

GENERIC = layout_of(3, 4, 2)
DEVIATIONS = layout_of(3, 4, 2, STANDARD_DEVIATION)
WEIGHTS = layout_of(3, 4, 2, WEIGHT)
INDICES = np.arange(500)


def expressions(name, layout):
    """The recipe's expressions (500, 4) in the unit of the layout."""
    prior = prior_of(load(name), layout)
    return layout.unpack(draw_theta(prior, 7, INDICES)).expression


def test_the_posters_prior_is_the_same_faces_in_deviations():
    in_poster_units, in_deviations = (
        expressions("inversefacenet", layout) for layout in (GENERIC, DEVIATIONS)
    )
    np.testing.assert_allclose(in_deviations, POSTER_UNIT.scale * in_poster_units, rtol=1e-6)
    assert np.abs(in_deviations).max() <= np.sqrt(3)
    assert in_deviations[:, 1:].std() == pytest.approx(1, rel=0.05)


def test_a_recipe_in_deviations_is_the_same_faces_in_the_posters_unit():
    in_deviations, in_poster_units = (
        expressions("basel", layout) for layout in (DEVIATIONS, GENERIC)
    )
    np.testing.assert_allclose(in_deviations, POSTER_UNIT.scale * in_poster_units, rtol=1e-6)


def test_equal_units_leave_the_draws_untouched():
    blocks = prior_of(load("inversefacenet"), GENERIC).blocks
    assert not any(isinstance(distribution, Scaled) for distribution, _ in blocks)


@pytest.mark.parametrize(
    ("name", "layout", "hint"),
    [
        ("inversefacenet", WEIGHTS, "--recipe ict"),
        ("flame", WEIGHTS, "--recipe ict"),
        ("ict", GENERIC, "--recipe basel or flame"),
        ("ict", DEVIATIONS, "--recipe basel or flame"),
    ],
)
def test_weights_and_deviations_are_not_mixed(name, layout, hint):
    with pytest.raises(RecipeError, match=hint):
        prior_of(load(name), layout)


def test_a_model_without_expressions_takes_any_recipe():
    layout = layout_of(3, 0, 2, WEIGHT)
    assert expressions("inversefacenet", layout).shape == (500, 0)


def test_weights_run_from_zero_to_one():
    draws = expressions("ict", WEIGHTS)
    assert draws.min() == 0
    assert draws.max() <= 1
    assert (draws == 0).mean() == pytest.approx(0.875, abs=0.03)


def test_an_unknown_unit_is_refused():
    base = load("inversefacenet")
    with pytest.raises(RecipeError, match="unknown unit 'inch'"):
        base.with_changes({"expression": {"unit": "inch"}})
    with pytest.raises(RecipeError, match="unit"):
        base.with_changes({"shape": {"unit": "weight"}})


@pytest.mark.parametrize(
    "inner", [Uniform(-2, 3), Normal(1, 2), Mixture((0.5, 0.5), (Normal(0, 1), Uniform(4, 5)))]
)
def test_a_scaled_distribution_is_true_to_its_statistics(inner):
    scaled = Scaled(inner, 0.25)
    draws = scaled.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert draws.mean() == pytest.approx(scaled.mean, abs=1e-3)
    assert draws.std() == pytest.approx(scaled.sd, rel=1e-2)
    np.testing.assert_allclose(scaled.cdf(draws), inner.cdf(4 * draws))
