"""Landmarks in photographs against those that people marked: errors known beforehand."""

import numpy as np
import pytest
from estimators import trained
from PIL import Image

from facegen.errors import FacegenError
from facegen.learning import photographs
from facegen.learning.estimate import EstimateSettings
from facegen.learning.faces import Cropping
from facegen.learning.found import Found
from facegen.learning.frames import Framing
from facegen.learning.images import find_images
from facegen.learning.points import PhotographPoints
from facegen.learning.seen import SeenLandmarks
from facegen.recipe.loading import load

SIDE = 100
WHOLE = EstimateSettings(Cropping("whole", Framing(64, 1.5, 0.0)))


@pytest.fixture(scope="module")
def seen():
    return SeenLandmarks(load("inversefacenet"))


@pytest.fixture(scope="module")
def theta(seen):
    """The mean answer, looking ahead, and a face that looks aside."""
    theta = np.tile(seen.source.distributions.moments()[0].astype(np.float32), (2, 1))
    theta[:, :3] = 0
    theta[1, 1] = np.radians(30)
    return theta


@pytest.fixture(scope="module")
def marks(seen, theta):
    """Their landmarks in pictures of 100 x 100 pixels."""
    marks = seen.landmarks(theta)
    low, high = marks.min(axis=1, keepdims=True), marks.max(axis=1, keepdims=True)
    return (20 + 60 * (marks - low) / (high - low).max(axis=2, keepdims=True)).astype(np.float32)


@pytest.fixture
def pictures(tmp_path):
    for number in range(2):
        Image.new("RGB", (SIDE, SIDE), (40 * number, 0, 0)).save(tmp_path / f"{number}.png")
    return list(find_images([tmp_path], print))


def run(seen, pictures, marks, theta, landmarks, marked=2):
    def estimator(images):
        rows = (images[:, 0, 0, 0] > 20).astype(int)
        return Found(theta[rows], None, (landmarks / SIDE)[rows], None, None)

    table = {f"{number}.png": (marks[number],) for number in range(marked)}
    network = trained(estimator, seen.model.layout, 64, ("generic", seen.model.sha256))
    return photographs.evaluate_photographs(network, pictures, PhotographPoints(table), WHOLE)


def test_the_truth_has_no_error_and_the_mean_face_that_of_the_pose(seen, pictures, marks, theta):
    marked = run(seen, pictures, marks, theta, marks)
    assert marked.keys == ("0.png", "1.png")
    assert not marked.lost
    assert marked.direct.max() < 1e-3
    assert marked.theta.max() < 0.05
    assert marked.mean[0].max() < 0.05
    assert marked.mean[1].min() > 5
    np.testing.assert_allclose(marked.yaw, [0, 30], atol=1e-4)
    assert "yaw 15 to 45 degrees" in photographs.table(marked)
    assert "yaw 45 to 90" not in photographs.table(marked)
    assert marked.to_json()["faces"] == 2


def test_a_shift_is_its_share_of_the_eyes_distance(seen, pictures, marks, theta):
    moved = marks + np.array([3, -4], np.float32)
    marked = run(seen, pictures, marks, theta, moved)
    eyes = np.linalg.norm(marks[:, 36] - marks[:, 45], axis=1)
    np.testing.assert_allclose(marked.direct, np.tile(500 / eyes, (2, 1)).T, rtol=1e-4)


def test_a_face_that_was_not_found_is_lost(seen, pictures, marks, theta):
    away = marks.copy()
    away[1] += 70
    marked = run(seen, pictures, marks, theta, away)
    assert marked.lost == ("1.png",)
    assert "lost: 1.png" in photographs.table(marked)
    with pytest.raises(FacegenError, match="none of the marked faces"):
        run(seen, pictures, marks, theta, marks + 80)


def test_a_picture_without_marks_is_named(seen, pictures, marks, theta):
    with pytest.raises(FacegenError, match=r"1\.png.*no landmarks or box"):
        run(seen, pictures, marks, theta, marks, marked=1)
