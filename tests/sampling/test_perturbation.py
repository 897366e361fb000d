"""Resampling around estimates: the stated perturbation, every estimate in turn, parents named."""

import numpy as np
import pytest
from scipy import stats

from facegen.errors import RecipeError
from facegen.recipe.loading import load
from facegen.sampling.estimates import Estimates, EstimatesError
from facegen.sampling.perturbation import Around, Perturbation, perturbation_of, with_zero_mean
from facegen.sampling.prior import Parent, prior_of
from facegen.scene.parameters import layout_of

LAYOUT = layout_of(128, 64, 128)
COUNT = 60_000
# The perturbation of the poster, written out again.
STATED = {
    "rotation": stats.uniform(-np.radians(5), 2 * np.radians(5)),
    "shape": stats.norm(0, 0.05),
    "expression": stats.norm(0, 0.1),
    "reflectance": stats.norm(0, 0.2),
    "illumination": stats.norm(0, 0.02),
}


def perturbation(rows=7, weighted=False, confidence=None):
    theta = np.random.default_rng(0).normal(size=(rows, LAYOUT.width)).astype(np.float32)
    keys = tuple(f"photo-{i}" for i in range(rows))
    distributions = prior_of(load("bootstrap"), LAYOUT)
    return Perturbation(distributions, Estimates(theta, keys, confidence), Around(weighted))


@pytest.fixture(scope="module")
def added():
    source, indices = perturbation(), np.arange(COUNT)
    theta = source.theta(5, indices)
    return theta.astype(np.float64) - source.estimates.theta[source.rows(5, indices)]


@pytest.mark.parametrize("group", STATED)
def test_what_is_added_is_the_stated_perturbation(added, group):
    columns = added[:, LAYOUT.slices[group]]
    worst = min(stats.kstest(column, STATED[group].cdf).pvalue for column in columns.T[:32])
    assert worst > 1e-5
    assert columns.std() == pytest.approx(STATED[group].std(), rel=0.01)


def adaptive(sd):
    """Around three estimates with these deviations."""
    theta = np.random.default_rng(0).normal(size=(3, LAYOUT.width)).astype(np.float32)
    estimates = Estimates(theta, sd=np.asarray(sd, np.float32))
    return perturbation_of(load("bootstrap"), LAYOUT, estimates, Around(adaptive=True))


def test_adaptive_draws_are_as_far_around_each_estimate_as_it_says():
    sd = np.random.default_rng(1).uniform(0.1, 3, (3, LAYOUT.width))
    sd[:, 5] = 0
    source, indices = adaptive(sd), np.arange(30_000)
    theta = source.theta(3, indices)
    for row in range(3):
        apart = theta[row::3].astype(np.float64) - source.estimates.theta[row]
        np.testing.assert_allclose(apart.std(axis=0), sd[row], rtol=0.05)
        assert np.abs(apart.mean(axis=0) / np.maximum(sd[row], 1)).max() < 0.06
    draws = source.independent(3, indices, theta)
    worst = min(stats.kstest(draws[column], stats.norm.cdf).pvalue for column in range(6, 40))
    assert worst > 1e-5
    assert (draws[5] == 0).all()
    some = np.array([900, 4, 77])
    assert np.array_equal(source.theta(1, some), source.theta(1, np.arange(1000))[some])


@pytest.mark.parametrize("bad", [-1.0, 0.0])
def test_deviations_that_are_none_are_refused(bad):
    sd = np.ones((3, LAYOUT.width))
    sd[1, 7] = bad
    with pytest.raises(EstimatesError, match="/sd is below zero, or zero in some"):
        adaptive(sd)


def test_adaptive_needs_deviations():
    estimates = Estimates(np.zeros((3, LAYOUT.width), np.float32))
    with pytest.raises(EstimatesError, match="/sd is missing"):
        perturbation_of(load("bootstrap"), LAYOUT, estimates, Around(adaptive=True))


def test_every_estimate_is_used_equally_often():
    assert np.array_equal(np.bincount(perturbation().rows(0, np.arange(7000))), np.full(7, 1000))


def test_confidence_weights_the_estimates():
    confidence = np.array([1.0, 0.0, 3.0, 4.0, 0.0])
    rows = perturbation(5, True, confidence).rows(2, np.arange(80_000))
    counts = np.bincount(rows, minlength=5)
    assert counts[[1, 4]].tolist() == [0, 0]
    assert stats.chisquare(counts[[0, 2, 3]], 10_000 * confidence[[0, 2, 3]]).pvalue > 1e-4


def test_weights_without_confidence_are_refused():
    with pytest.raises(EstimatesError, match="confidence is missing"):
        perturbation(weighted=True).rows(0, np.arange(3))


@pytest.mark.parametrize("weighted", [False, True])
def test_zero_mean_groups_have_the_models_mean(weighted):
    confidence = np.array([1.0, 0.0, 3.0, 4.0, 2.0])
    estimates = perturbation(5, weighted, confidence).estimates
    shape, expression = LAYOUT.slices["shape"], LAYOUT.slices["expression"]
    moved = with_zero_mean(estimates, [shape], weighted)
    mean = np.average(moved.theta[:, shape], axis=0, weights=confidence if weighted else None)
    np.testing.assert_allclose(mean, 0, atol=1e-6)
    apart = moved.theta[:, shape] - estimates.theta[:, shape]
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-6)
    np.testing.assert_array_equal(moved.theta[:, expression], estimates.theta[:, expression])
    assert with_zero_mean(estimates, [], weighted) is estimates


def test_one_estimate_alone_has_no_mean():
    shape = [LAYOUT.slices["shape"]]
    with pytest.raises(EstimatesError, match="one estimate"):
        with_zero_mean(perturbation(1).estimates, shape, False)
    with pytest.raises(EstimatesError, match="one estimate"):
        with_zero_mean(perturbation(3, True, np.array([0.0, 2.0, 0.0])).estimates, shape, True)


def test_which_groups_have_zero_mean_is_stated_in_a_recipe():
    assert load("bootstrap-wide").zero_mean == ("shape", "reflectance")
    assert load("bootstrap").zero_mean == ()
    for wrong in (["rotation"], ["expression"], ["shape", "shape"], [["shape"]], [1]):
        with pytest.raises(RecipeError, match="not a list of groups, each once"):
            load("bootstrap").with_changes({"zero_mean": wrong})
    with pytest.raises(RecipeError, match="not a list"):
        load("bootstrap").with_changes({"zero_mean": "shape"})
    with pytest.raises(RecipeError, match="a prior has none"):
        load("inversefacenet").with_changes({"zero_mean": ["shape"]})


def test_the_old_name_of_zero_mean_is_refused_with_the_new_one():
    with pytest.raises(RecipeError, match=r"'centred'.*zero_mean"):
        load("bootstrap").with_changes({"centred": ["shape"]})


def test_the_parent_is_named():
    assert perturbation().parents(0, np.array([8, 0]))[0] == Parent(1, "photo-1")


def test_samples_depend_on_seed_and_index_alone():
    source, some = perturbation(), np.array([900, 4, 77])
    assert np.array_equal(source.theta(1, some), source.theta(1, np.arange(1000))[some])
    assert not np.array_equal(source.theta(1, some), source.theta(2, some))
