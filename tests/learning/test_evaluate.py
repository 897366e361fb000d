"""The poster's errors: none for the truth, and of what is wrong as much as is wrong."""

import numpy as np
import pytest
from estimators import oracle
from specs import folder, generated, samples_of, spec_of

from facegen.imaging.faces import rendered_layers
from facegen.learning import evaluate, metrics
from facegen.learning.estimators import Found
from facegen.learning.training_set import open_training_set
from facegen.learning.truth import Faces, read_faces
from facegen.rendering.contract import RenderSettings
from facegen.rendering.devices import open_renderer
from facegen.scene.alignment import rigidly_aligned


@pytest.fixture(scope="module")
def rerendering(masked, ellipsoid):
    renderer = open_renderer("cpu", ellipsoid, RenderSettings(64))
    yield evaluate.Rerendering(ellipsoid, masked.layout, renderer)
    renderer.close()


def faces_of(masked, batch=8):
    return read_faces(open_training_set([folder(masked)]), 64, batch)


def test_the_truth_has_no_errors(masked, rerendering):
    evaluation = evaluate.evaluate(oracle(samples_of(masked)), faces_of(masked), rerendering)
    figures = evaluation.to_json()
    errors = {name: figure["mean"] for name, figure in figures["errors"].items()}
    assert figures["images"] == 20
    assert errors.pop("iou") == 100
    assert errors.pop("photometric") < 0.01
    assert all(error < 1e-3 for error in errors.values()), errors
    assert evaluation.comparison.shape == (3 * 64, 8 * 64, 3)


def test_a_wrong_estimate_has_the_errors_it_should(masked, rerendering):
    truth = oracle(samples_of(masked))
    part = masked.layout.slices

    def off(images):
        theta = truth(images).theta.copy()
        theta[:, part["shape"].start] += 2
        theta[:, 1] += np.radians(6)
        return Found(theta)

    evaluation = evaluate.evaluate(off, faces_of(masked), rerendering)
    moved = 2 * np.linalg.norm(rerendering.model.shape.basis[0].reshape(-1, 3), axis=1).mean()
    np.testing.assert_allclose(evaluation.errors["geometric"], moved, rtol=1e-3)
    assert (evaluation.errors["geometric_aligned"] <= evaluation.errors["geometric"]).all()
    np.testing.assert_allclose(evaluation.errors["rotation"], 6 / np.sqrt(3), rtol=1e-4)
    width = part["shape"].stop - part["shape"].start
    np.testing.assert_allclose(evaluation.errors["shape"], 2 / np.sqrt(width), rtol=1e-5)
    assert (evaluation.errors["iou"] < 100).all()
    assert evaluation.errors["photometric"].mean() > 1


def test_without_masks_they_are_rendered_from_the_truth(masked, rerendering):
    faces = next(faces_of(masked))
    bare = Faces(faces.images, faces.inputs, faces.theta, faces.cameras, None)
    judgement = evaluate.judge(Found(faces.theta), bare, rerendering)
    np.testing.assert_array_equal(judgement.errors["iou"], 100)


def test_estimates_are_rendered_in_the_encoding_of_the_images(ellipsoid_file, tmp_path, ellipsoid):
    image = {"size": 64, "format": "png", "encoding": "srgb"}
    spec = spec_of(ellipsoid_file, tmp_path / "set", {"image": image}, count=8)
    data = open_training_set([folder(generated(spec))])
    settings = RenderSettings(64, rendered_layers((), "srgb"), "srgb")
    renderer = open_renderer("cpu", ellipsoid, settings)
    faces = next(read_faces(data, 64, 8))
    rerendering = evaluate.Rerendering(ellipsoid, data.layout, renderer)
    distance = evaluate.judge(Found(faces.theta), faces, rerendering).distance
    mask = rerendering.render(faces.theta, faces.cameras)[1]
    renderer.close()
    assert mask.mean() > 0.1
    assert np.quantile(distance[mask], 0.6) < 0.5  # The rest are edges, smooth in images.


def test_alignment_undoes_a_rigid_motion_but_no_scale(ellipsoid):
    points = ellipsoid.mean_face[None]
    angle = np.radians(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    moved = (points @ turn + [5, -3, 9]).astype(np.float32)
    assert metrics.vertex_distance(moved, points)[0] > 10
    assert metrics.vertex_distance(rigidly_aligned(moved, points), points)[0] < 1e-3
    assert metrics.vertex_distance(rigidly_aligned(1.1 * points, points), points)[0] > 5
    mirrored = (points * [-1, 1, 1]).astype(np.float32) + points**2 / 500
    turned = rigidly_aligned(mirrored, points) - rigidly_aligned(mirrored, points).mean(1)
    offset = mirrored - mirrored.mean(1)
    rotation = np.linalg.lstsq(offset[0], turned[0], rcond=None)[0]
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-3)


def test_masks_that_never_meet_are_the_worst():
    none = np.zeros((1, 4, 4), bool)
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert metrics.photometric(black, black, none)[0] == pytest.approx(255 * np.sqrt(3))
    assert metrics.overlap(none, ~none)[0] == 0
    assert metrics.overlap(none, none)[0] == 100
