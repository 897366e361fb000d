"""Attributes of people: what is known of them, conditional coefficients, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from facegen.errors import ModelError
from facegen.models.attributes import Attribute, Attributes

KINDS = tuple(Attribute(name, "", 0.0, 1.0) for name in ("one", "two", "rest"))


@pytest.fixture(scope="module")
def people():
    """Shares of three that sum to one, and what 5 + 4 coefficients have to do with them."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([1, 1, 1], 5000)
    offset = shares - shares.mean(axis=0)
    return Attributes(
        KINDS,
        shares.mean(axis=0),
        np.cov(offset.T),
        0.1 * rng.standard_normal((3, 5)),
        0.1 * rng.standard_normal((3, 4)),
    )


def test_shares_that_sum_to_one_may_all_be_stated(people):
    given = people.given(["one", "two", "rest"])
    z = np.zeros((2, 5), np.float32)
    drawn = given.coefficients("shape", np.array([[0.2, 0.3, 0.5]] * 2), z)
    two = people.given(["one", "two"]).coefficients("shape", np.array([[0.2, 0.3]] * 2), z)
    assert np.isfinite(drawn).all()
    assert drawn.shape == two.shape == (2, 5)


def test_a_row_does_not_depend_on_the_others(generic):
    given = generic.attributes.given(["age", "gender", "melanin"])
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.uniform(20, 80, 70), rng.choice([-1, 1], 70), rng.random(70)])
    z = rng.standard_normal((70, 128)).astype(np.float32)
    whole = given.coefficients("reflectance", values, z)
    for start in range(0, 70, 9):
        part = slice(start, start + 9)
        one = given.coefficients("reflectance", values[part], z[part])
        np.testing.assert_array_equal(one, whole[part])


def test_men_and_women_old_and_young_are_told_apart_by_their_coefficients(generic):
    known = generic.attributes
    given = known.given(["age", "gender"])
    rng = np.random.default_rng(2)
    rows = np.column_stack([rng.uniform(20, 80, 400), rng.choice([-1.0, 1.0], 400)])
    for group in ("shape", "reflectance"):
        z = rng.standard_normal((400, 128)).astype(np.float32)
        told = known.read(group, given.coefficients(group, rows, z))
        age, gender = (told[:, known.names.index(name)] for name in ("age", "gender"))
        assert np.corrcoef(age, rows[:, 0])[0, 1] > 0.8
        assert (np.sign(gender) == rows[:, 1]).mean() > 0.95


def test_without_leading_components_nothing_is_left(people):
    fewer = people.leading(2, 0)
    assert fewer.shape.shape == (3, 2)
    assert fewer.given(["one"]).coefficients(
        "reflectance", np.zeros((3, 1)), np.zeros((3, 0), np.float32)
    ).shape == (3, 0)


@pytest.mark.parametrize("name", ["mean", "covariance", "shape"])
def test_tables_of_another_size_or_without_numbers_are_refused(people, name):
    parts = {k: getattr(people, k) for k in ("mean", "covariance", "shape", "reflectance")}
    for wrong in (parts[name][:-1], np.full_like(parts[name], np.nan)):
        with pytest.raises(ModelError, match=f"attributes' {name}"):
            Attributes(KINDS, **parts | {name: wrong})


def test_a_covariance_that_is_none_is_refused(people):
    parts = {k: getattr(people, k) for k in ("mean", "covariance", "shape", "reflectance")}
    for wrong in (np.diag([1.0, 0, 1]), np.diag([1.0, -1, 1]), np.eye(3) + np.eye(3, k=1)):
        with pytest.raises(ModelError, match="covariance is none"):
            Attributes(KINDS, **parts | {"covariance": wrong})


def test_attributes_of_other_components_are_refused(generic):
    with pytest.raises(ModelError, match="other components of shape"):
        replace(generic, attributes=generic.attributes.leading(7, None))
