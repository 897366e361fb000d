"""Errors of shapes: none for the truth, whatever an alignment undoes, and of surfaces."""

import numpy as np
import pytest

from facegen.learning import shapes
from facegen.scene.cameras import rotation_matrix


@pytest.fixture(scope="module")
def regions(generic):
    return shapes.regions_of(generic)


@pytest.fixture(scope="module")
def truth(generic):
    draws = np.random.default_rng(0).normal(size=(2, generic.geometry.components))
    return generic.geometry.evaluate((0.5 * draws).astype(np.float32))


def test_the_truth_has_no_errors(truth, regions):
    errors = shapes.shape_errors(truth, truth, regions)
    assert {"face_similar", "scan_to_mesh", "nose", "mouth", "brow", "cheek"} <= errors.keys()
    for name, values in errors.items():
        assert values.shape == (2,)
        assert values.max() < 1e-3, name


def test_an_alignment_undoes_what_it_may(truth, regions):
    turned = 1.1 * truth @ rotation_matrix(np.array([0.2, 0.3, 0.1])).T + [5, -9, 30]
    errors = shapes.shape_errors(turned.astype(np.float32), truth, regions)
    for name in ("geometric_similar", "face_similar", "scan_to_mesh", "nose", "mouth"):
        assert errors[name].max() < 1e-3, name
    assert errors["face"].min() > 10
    assert (errors["face_aligned"] > 2).all()
    assert (errors["face_aligned"] < errors["face"]).all()


def test_the_face_is_the_front_of_the_head(generic, regions):
    points, marks = generic.mean_face[regions.face], generic.mean_face[generic.landmarks]
    assert 0.05 < len(points) / generic.vertices < 0.9
    assert points[:, 2].min() > marks[0, 2] - 40
    assert np.abs(points[:, 0]).max() < 95
    sizes = {name: len(part) for name, part in regions.parts.items()}
    assert sum(sizes.values()) == len(points)
    assert min(sizes.values()) > 30
    nose = generic.mean_face[regions.parts["nose"]].mean(axis=0)
    mouth = generic.mean_face[regions.parts["mouth"]].mean(axis=0)
    brow = generic.mean_face[regions.parts["brow"]].mean(axis=0)
    assert brow[1] > nose[1] > mouth[1]


def test_vertices_that_slide_on_the_surface_are_no_error_of_it(generic, truth, regions):
    """Each moves a tenth of the way to a neighbour, along an edge of the mesh."""
    neighbour = np.arange(generic.vertices)
    neighbour[generic.triangles[:, 0]] = generic.triangles[:, 1]
    slid = 0.9 * truth + 0.1 * truth[:, neighbour]
    errors = shapes.shape_errors(slid, truth, regions)
    assert (errors["scan_to_mesh"] < 0.35 * errors["face_similar"]).all()


def test_distances_to_triangles_are_those_of_many_points_on_them():
    draws = np.random.default_rng(1)
    corners = draws.normal(size=(40, 3, 3, 3))
    points = 2 * draws.normal(size=(40, 1, 3))
    shares = draws.dirichlet(np.full(3, 0.6), 40_000)
    on = np.einsum("sc,pkcd->pksd", shares, corners)
    brute = np.linalg.norm(on - points[:, :, None], axis=-1).min(axis=-1)
    found = shapes.distance_to_triangles(points, corners)
    assert (found <= brute + 1e-9).all()
    np.testing.assert_allclose(found, brute, atol=0.06)
