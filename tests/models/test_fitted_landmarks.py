"""Landmarks found by fitting our head: how far off, and refused where they would be farther."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facegen.errors import ModelError
from facegen.models.importers import fit as fitting
from facegen.models.importers import ict
from facegen.models.importers.complete import with_landmarks
from facegen.models.importers.foreign import ForeignModel, modes

ICT = Path(__file__).resolve().parents[3] / "shared/models/ict-facekit-subset/FaceXModel"
BROWS = slice(17, 27)


def found(model, generic):
    """Where the landmarks of a model come to lie that has none (68, 3), and the fit."""
    bare = replace(model, landmarks=None, segmentation=None)
    points = bare.mean_face.astype(np.float64)
    fit = fitting.fit(generic, points, bare.triangles, None)
    landmarks = with_landmarks(bare, generic, fit).landmarks
    return model.mean_face[landmarks], fit


@pytest.fixture(scope="module")
def stranger(generic):
    """One of our own people, smaller, turned and moved, as if somebody had scanned them."""
    rng = np.random.default_rng(3)
    draws = (0.8 * rng.standard_normal((1, 128))).astype(np.float32)
    points = generic.shape.evaluate(draws)[0] + generic.expression.mean
    angle = np.radians(12)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    points = 0.9 * points @ turn.T + [30, -20, 10]
    shape = modes("shape", points.astype(np.float32), None, None)
    return ForeignModel("stranger", "mesh", shape, generic.triangles, "mm", "")


def test_landmarks_of_a_stranger_are_found(stranger, generic):
    points, fit = found(stranger, generic)
    truth = stranger.mean_face[generic.landmarks]
    error = np.linalg.norm(points - truth, axis=1)
    assert error[17:].mean() < min(3.0, fit.expected_error)
    assert error.max() < 12


@pytest.mark.skipif(not ICT.is_dir(), reason="shared/models/ict-facekit-subset is not there")
def test_they_lie_where_icts_authors_have_put_them(generic):
    model = ict.read(ICT)
    points, fit = found(model, generic)
    error = np.linalg.norm(points - model.mean_face[model.landmarks], axis=1)
    assert error[17:].mean() < fit.expected_error < 4
    assert error[BROWS].max() < 9


def test_a_fit_too_poor_for_landmarks_is_refused(stranger, generic):
    fit = found(stranger, generic)[1]
    assert "rough" in fitting.check(replace(fit, rms=4.9))
    with pytest.raises(ModelError, match="not known to 7 mm"):
        fitting.check(replace(fit, rms=5.1))


def test_what_is_no_head_at_all_is_refused(generic):
    corners = np.float32([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    with pytest.raises(ModelError, match="does not fit"):
        fitting.check(fitting.fit(generic, corners.astype(np.float64), np.array([[0, 1, 2]]), None))
