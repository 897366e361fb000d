"""Resampling around estimates: the proposals as stated, every estimate in turn, lineage told."""

import numpy as np
import pytest
from scipy import stats

from facegen import recipe, sampling
from facegen.bootstrap import Resampling, centred, check_recipe
from facegen.errors import RecipeError
from facegen.estimates import Estimates, EstimatesError
from facegen.parameters import layout_of
from facegen.recipe import PERTURBATION, PRIOR

LAYOUT = layout_of(128, 64, 128)
COUNT = 60_000
# The proposals of the poster, written out again.
PROPOSALS = {
    "rotation": stats.uniform(-np.radians(5), 2 * np.radians(5)),
    "shape": stats.norm(0, 0.05),
    "expression": stats.norm(0, 0.1),
    "reflectance": stats.norm(0, 0.2),
    "illumination": stats.norm(0, 0.02),
}


def resampling(rows=7, weighted=False, confidence=None):
    theta = np.random.default_rng(0).normal(size=(rows, LAYOUT.width)).astype(np.float32)
    keys = tuple(f"photo-{i}" for i in range(rows))
    noise = sampling.prior_of(recipe.load("bootstrap"), LAYOUT)
    return Resampling(noise, Estimates(theta, keys, confidence), weighted)


@pytest.fixture(scope="module")
def noise():
    source, indices = resampling(), np.arange(COUNT)
    theta = source.theta(5, indices)
    return theta.astype(np.float64) - source.estimates.theta[source.rows(5, indices)]


@pytest.mark.parametrize("group", PROPOSALS)
def test_what_is_added_is_the_stated_proposal(noise, group):
    columns = noise[:, LAYOUT.slices[group]]
    worst = min(stats.kstest(column, PROPOSALS[group].cdf).pvalue for column in columns.T[:32])
    assert worst > 1e-5
    assert columns.std() == pytest.approx(PROPOSALS[group].std(), rel=0.01)


def test_every_estimate_is_used_equally_often():
    assert np.array_equal(np.bincount(resampling().rows(0, np.arange(7000))), np.full(7, 1000))


def test_confidence_weights_the_estimates():
    confidence = np.array([1.0, 0.0, 3.0, 4.0, 0.0])
    rows = resampling(5, True, confidence).rows(2, np.arange(80_000))
    counts = np.bincount(rows, minlength=5)
    assert counts[[1, 4]].tolist() == [0, 0]
    assert stats.chisquare(counts[[0, 2, 3]], 10_000 * confidence[[0, 2, 3]]).pvalue > 1e-4


def test_weights_without_confidence_are_refused():
    with pytest.raises(EstimatesError, match="confidence is missing"):
        resampling(weighted=True).rows(0, np.arange(3))


@pytest.mark.parametrize("weighted", [False, True])
def test_centred_groups_have_the_models_mean(weighted):
    confidence = np.array([1.0, 0.0, 3.0, 4.0, 2.0])
    given = resampling(5, weighted, confidence).estimates
    shape, expression = LAYOUT.slices["shape"], LAYOUT.slices["expression"]
    moved = centred(given, [shape], weighted)
    mean = np.average(moved.theta[:, shape], axis=0, weights=confidence if weighted else None)
    np.testing.assert_allclose(mean, 0, atol=1e-6)
    apart = moved.theta[:, shape] - given.theta[:, shape]
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-6)
    np.testing.assert_array_equal(moved.theta[:, expression], given.theta[:, expression])
    assert centred(given, [], weighted) is given


def test_one_estimate_alone_is_not_centred():
    shape = [LAYOUT.slices["shape"]]
    with pytest.raises(EstimatesError, match="one estimate"):
        centred(resampling(1).estimates, shape, False)
    with pytest.raises(EstimatesError, match="one estimate"):
        centred(resampling(3, True, np.array([0.0, 2.0, 0.0])).estimates, shape, True)


def test_what_is_centred_is_stated_in_a_recipe_of_proposals():
    assert recipe.load("bootstrap-wide").centred == ("shape", "reflectance")
    assert recipe.load("bootstrap").centred == ()
    for wrong in (["rotation"], ["expression"], ["shape", "shape"], [["shape"]], [1]):
        with pytest.raises(RecipeError, match="not a list of groups, each once"):
            recipe.load("bootstrap").with_changes({"centred": wrong})
    with pytest.raises(RecipeError, match="not a list"):
        recipe.load("bootstrap").with_changes({"centred": "shape"})
    with pytest.raises(RecipeError, match="a prior has none"):
        recipe.load("inversefacenet").with_changes({"centred": ["shape"]})


def test_the_parent_is_told():
    assert resampling().parents(0, np.array([8, 0]))[0] == {"row": 1, "key": "photo-1"}


def test_samples_depend_on_seed_and_index_alone():
    source, some = resampling(), np.array([900, 4, 77])
    assert np.array_equal(source.theta(1, some), source.theta(1, np.arange(1000))[some])
    assert not np.array_equal(source.theta(1, some), source.theta(2, some))


def test_priors_and_proposals_are_not_mistaken_for_each_other():
    with pytest.raises(RecipeError, match="states a prior"):
        check_recipe(recipe.load("inversefacenet"), PERTURBATION)
    with pytest.raises(RecipeError, match="facegen bootstrap"):
        check_recipe(recipe.load("bootstrap"), PRIOR)
