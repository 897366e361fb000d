"""Attributes, named expressions, grids and the visible contour as CONVENTIONS.md states them."""

from itertools import pairwise

import numpy as np
import pytest
from conventions import sentence, states
from scipy.spatial import cKDTree

import facegen
from facegen.recipe.loading import load
from facegen.sampling.prior import source_of
from facegen.sampling.randomness import uniforms

PEOPLE = load("inversefacenet").with_changes(
    {"attributes": {"age": {"distribution": "uniform", "low": 20, "high": 80}}}
)


@states("Attributes")
def test_given_attributes_mean_and_covariance_are_as_stated(generic):
    sentence("Attributes", "the mean is a P L and the covariance I - Lᵀ P L")
    known = generic.attributes
    names, values = ["age", "gender"], np.array([70.0, -1.0])
    rows = [known.names.index(name) for name in names]
    sd = np.sqrt(np.diag(known.covariance)[rows])
    P = np.linalg.inv(known.covariance[np.ix_(rows, rows)] / np.outer(sd, sd))
    L = known.shape[rows] / sd[:, None]
    z = np.random.default_rng(0).standard_normal((40_000, L.shape[1])).astype(np.float32)
    drawn = known.given(names).coefficients("shape", np.tile(values, (len(z), 1)), z)
    mean = ((values - known.mean[rows]) / sd) @ P @ L
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), np.eye(len(mean)) - L.T @ P @ L, atol=0.04)


@states("Draws of attributes")
def test_attributes_come_from_their_stream(generic):
    source = source_of(PEOPLE, generic.layout, generic.attributes)
    ages = source.attributes(5, np.arange(100))["age"]
    stream = int(sentence("Draws of attributes", r"from stream (\d)")[0])
    np.testing.assert_allclose(ages, 20 + 60 * uniforms(5, stream, np.arange(100), 1)[:, 0], 1e-6)


@states("Symmetry")
def test_that_share_of_pairs_is_alike(arkit):
    recipe = load("arkit").with_changes({"expression": {"symmetric": 0.6}})
    theta = source_of(recipe, arkit.layout).theta(1, np.arange(4000))
    weights = arkit.layout.unpack(theta).expression
    names = arkit.expression_names
    for left, right in (("eyeBlinkLeft", "eyeBlinkRight"), ("eyeLookInLeft", "eyeLookOutRight")):
        a, b = (weights[:, names.index(name)] for name in (left, right))
        # Of the others one in fifty draws the same value twice: nothing.
        assert (a == b)[a > 0].mean() == pytest.approx(0.6, abs=0.06)


@states("Grid")
def test_a_grid_runs_through_its_points_for_each_identity(generic):
    sentence("Grid", "the last one changes fastest")
    axes = {
        "shape": {"0": {"low": -1, "high": 1, "steps": 3}},
        "rotation": {"yaw": {"low_degrees": -60, "high_degrees": 60, "steps": 5}},
    }
    recipe = load("inversefacenet").with_changes({"grid": axes, "identities": 4})
    samples = facegen.sample(recipe, generic, range(60), seed=3)
    assert list(samples.grid) == ["rotation.yaw", "shape.0"]
    mine = samples.identities == 2
    yaw, first = samples.parameters.rotation[mine, 1], samples.parameters.shape[mine, 0]
    np.testing.assert_allclose(np.degrees(yaw), np.repeat([-60, -30, 0, 30, 60], 3), atol=1e-4)
    np.testing.assert_allclose(first, np.tile([-1, 0, 1], 5))
    assert len(np.unique(samples.parameters.shape[mine, 1])) == 1


@states("landmarks2d.npy")
def test_the_visible_contour_lies_on_the_faces_edge(generic):
    recipe = load("controlled").with_changes({"image": {"size": 128}, "identities": 2})
    samples = facegen.sample(recipe, generic, range(4, 22))
    layers = facegen.render(samples, generic, ["landmarks", "landmarks2d", "mask"], "cpu").layers
    marked, mesh = layers["landmarks2d"], layers["landmarks"]
    np.testing.assert_array_equal(marked[:, 17:], mesh[:, 17:])
    for face, yaw in enumerate(samples.parameters.rotation[:, 1]):
        far = slice(2, 7) if yaw < 0 else slice(10, 15)
        if 0.2 < abs(yaw) < 0.9:
            edge = distance_from_edge(layers["mask"][face], marked[face, far, :2])
            assert np.median(edge) < 2
            assert np.median(edge) < 0.5 * np.median(
                distance_from_edge(layers["mask"][face], mesh[face, far, :2])
            )


@states("landmarks2d.npy")
def test_points_of_the_contour_are_equally_far_apart(generic):
    """As in the mean shape of 300-W: steps of 22 % of the eyes' distance, the first at the eyes."""
    marked = turned(generic, 20)["landmarks2d"][..., :2]
    for side in (marked[:, :9], marked[:, 8:17]):
        steps = np.linalg.norm(np.diff(side, axis=1), axis=2)
        assert np.percentile(steps.max(axis=1) / steps.min(axis=1), 90) < 1.15
    unit = np.linalg.norm(marked[:, 36] - marked[:, 45], axis=1)
    step = np.linalg.norm(np.diff(marked[:, :17], axis=1), axis=2).mean(axis=1)
    assert 0.19 < np.mean(step / unit) < 0.26
    below = (marked[:, [0, 16], 1] - marked[:, [36, 45], 1]).mean(axis=1) / unit
    assert 0 < below.mean() < 0.1


@states("landmarks2d.npy")
@pytest.mark.parametrize("yaw", [30, 60, 88])
def test_the_contours_near_side_lies_along_the_jaw(generic, yaw):
    layers = turned(generic, yaw)
    marked, mesh = layers["landmarks2d"][:, :9], layers["landmarks"][:, :9, :2]
    height = np.ptp(mesh[:, :, 1], axis=1)
    along = np.linspace(0, 1, 50)[:, None]
    jaws = [np.concatenate([a + along * (b - a) for a, b in pairwise(jaw)]) for jaw in mesh]
    gaps = [cKDTree(jaw).query(points[:, :2])[0] for jaw, points in zip(jaws, marked, strict=True)]
    assert np.mean(gaps / height[:, None], axis=0).max() < 0.02
    assert marked[..., 2].mean() > 0.9


def turned(model, yaw):
    """Landmarks of level faces that are turned so far, their right side nearer."""
    angles = {"pitch": 0.0, "yaw": yaw, "roll": 0.0}
    rotation = {
        name: {"distribution": "constant", "value_degrees": value} for name, value in angles.items()
    }
    recipe = load("inversefacenet").with_changes({"rotation": rotation})
    samples = facegen.sample(recipe, model, range(30), seed=4)
    return facegen.render(samples, model, ["landmarks", "landmarks2d"], "cpu").layers


def distance_from_edge(mask, uv):
    """How many pixels points lie inside the mask's edge along their row."""
    rows = uv[:, 1].astype(int)
    ends = [np.flatnonzero(mask[row])[[0, -1]] + 0.5 for row in rows]
    return np.array([np.abs(u - end).min() for u, end in zip(uv[:, 0], ends, strict=True)])
