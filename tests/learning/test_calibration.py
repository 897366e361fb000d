"""Deviations that are right cover two thirds, and rank as the errors do."""

import numpy as np
import pytest

from facegen.learning import calibration, metrics
from facegen.scene.parameters import layout_of

LAYOUT = layout_of(20, 10, 20)


@pytest.mark.parametrize(("by", "within"), [(1.0, 0.683), (2.0, 0.954), (0.5, 0.383)])
def test_the_share_within_is_that_of_gaussian_errors(by, within):
    draws = np.random.default_rng(0)
    truth = draws.normal(size=(2000, LAYOUT.width)).astype(np.float32)
    sd = draws.uniform(0.2, 2, (2000, 1)).astype(np.float32) * np.ones_like(truth)
    theta = truth + sd * draws.normal(size=truth.shape).astype(np.float32)
    errors = metrics.group_errors(theta, truth, LAYOUT)
    errors |= calibration.of_faces(theta, by * sd, truth, LAYOUT)
    for name, found in calibration.calibrations(errors).items():
        assert found.within == pytest.approx(within, abs=0.02), name
        assert found.spearman > 0.7, name


def test_deviations_that_say_nothing_have_no_rank():
    draws = np.random.default_rng(0)
    truth = draws.normal(size=(500, LAYOUT.width)).astype(np.float32)
    theta = np.zeros_like(truth)
    errors = metrics.group_errors(theta, truth, LAYOUT)
    same = errors | calibration.of_faces(theta, np.ones_like(truth), truth, LAYOUT)
    assert calibration.calibrations(same)["shape"].spearman is None
    random = draws.uniform(1, 2, truth.shape).astype(np.float32)
    other = errors | calibration.of_faces(theta, random, truth, LAYOUT)
    assert abs(calibration.calibrations(other)["shape"].spearman) < 0.15
