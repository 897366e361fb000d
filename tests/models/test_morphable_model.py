"""The linear model of a face: evaluation, truncation, and arrays it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import synthetic
from meshes import changed

from facegen.errors import ModelError
from facegen.models.morphable_model import LinearModel


def linear(vertices=9, components=4, seed=0):
    """A linear model of random numbers."""
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(components, 3 * vertices)).astype(np.float32)
    mean = rng.normal(size=(vertices, 3)).astype(np.float32)
    return LinearModel(mean, basis, np.linalg.norm(basis, axis=1))


def coefficients(count, width, seed=1):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def test_evaluate_is_the_mean_plus_the_weighted_rows():
    model, c = linear(), coefficients(3, 4)
    expected = np.array(
        [model.mean + sum(float(x) * model.basis[k].reshape(-1, 3).astype(np.float64)
         for k, x in enumerate(row)) for row in c]
    )  # fmt: skip
    np.testing.assert_allclose(model.evaluate(c), expected, atol=1e-5)


def test_evaluate_fills_the_array_it_is_given():
    model, c = linear(), coefficients(3, 4)
    out = np.full((3, 9, 3), np.nan, np.float32)
    assert model.evaluate(c, out) is out
    np.testing.assert_array_equal(out, model.evaluate(c))


def test_component_scale_turns_coefficients_into_distance_in_an_orthogonal_basis(generic):
    a, b = coefficients(2, generic.shape.components) * 0.5
    meshes = generic.shape.evaluate(np.stack([a, b]))
    distance = np.linalg.norm(meshes[0].astype(np.float64) - meshes[1])
    assert np.linalg.norm(generic.shape.component_scale * (a - b)) == pytest.approx(
        distance, rel=0.01
    )


def test_no_components_leave_the_mean():
    model = linear(components=0)
    np.testing.assert_array_equal(model.evaluate(np.empty((2, 0), np.float32)), [model.mean] * 2)


def test_a_model_of_some_vertices_agrees_with_the_whole():
    model, c, some = linear(), coefficients(3, 4), np.array([7, 0, 3])
    np.testing.assert_allclose(model.at(some).evaluate(c), model.evaluate(c)[:, some], atol=1e-6)


def test_geometry_is_shape_and_expression_together(ellipsoid):
    c = coefficients(2, 9)
    expected = ellipsoid.shape.evaluate(c[:, :5]) + ellipsoid.expression.evaluate(c[:, 5:])
    np.testing.assert_allclose(ellipsoid.geometry.evaluate(c), expected, atol=1e-4)
    np.testing.assert_allclose(
        ellipsoid.landmark_geometry.evaluate(c), expected[:, ellipsoid.landmarks], atol=1e-4
    )


@pytest.mark.parametrize(
    ("counts", "widths"),
    [((2, 1, 3), [2, 1, 3]), ((None, None, None), [5, 4, 6]), ((99, 0, 6), [5, 0, 6])],
)
def test_a_truncated_model_keeps_the_leading_components(ellipsoid, counts, widths):
    small = ellipsoid.truncated(*counts)
    assert [small.layout.to_json()[i][1] for i in (1, 2, 3)] == widths
    np.testing.assert_array_equal(small.shape.basis, ellipsoid.shape.basis[: widths[0]])
    assert small.sha256 == ellipsoid.sha256


def test_truncating_changes_no_face_whose_other_coefficients_are_zero(ellipsoid):
    c = np.float32([[0.5, -1, 0, 0, 0]])
    small = ellipsoid.truncated(2, None, None)
    np.testing.assert_allclose(
        small.shape.evaluate(c[:, :2]), ellipsoid.shape.evaluate(c), atol=1e-5
    )


def test_the_normalised_mean_fills_the_unit_box(ellipsoid):
    assert ellipsoid.normalised_mean.min(axis=0).tolist() == [0, 0, 0]
    assert ellipsoid.normalised_mean.max(axis=0).tolist() == [1, 1, 1]


def test_a_triangles_label_is_the_middle_one_of_its_corners(ellipsoid):
    segmentation = ellipsoid.segmentation.copy()
    segmentation[ellipsoid.triangles[0]] = 3, 1, 2
    segmentation[ellipsoid.triangles[-1]] = 4, 4, 1
    labels = changed(ellipsoid, segmentation=segmentation).triangle_segments
    assert (labels[0], labels[-1]) == (2, 4)


def broken_arrays():
    """(what is changed in the small model, what the refusal says)."""
    model = synthetic.model()
    vertices = model.vertices
    nan = model.shape.basis.copy()
    nan[0, 0] = np.nan
    yield {"shape": replace(model.shape, basis=nan)}, "basis of shape .* not finite"
    yield {"shape": replace(model.shape, basis=model.shape.basis[:, :-3])}, "basis of shape"
    yield {"expression": replace(model.expression, mean=model.shape.mean[:5])}, "expression"
    yield (
        {"reflectance": replace(model.reflectance, component_scale=np.ones(2))},
        "basis of reflectance",
    )
    yield {"triangles": model.triangles + vertices}, "triangles name vertices"
    yield {"triangles": model.triangles - 1}, "triangles name vertices"
    yield {"landmarks": np.full(68, vertices, np.int32)}, "landmarks name vertices"
    yield {"segmentation": model.segmentation[:-1]}, "segmentation"
    yield {"segmentation": np.full(vertices, 10, np.uint8)}, "segmentation"


@pytest.mark.parametrize(("changes", "message"), list(broken_arrays()))
def test_arrays_that_are_no_model_are_refused(ellipsoid, changes, message):
    with pytest.raises(ModelError, match=message):
        changed(ellipsoid, **changes)
