"""Hair is blended with what is around it, as a blur written out; all else keeps its bits."""

import numpy as np
import pytest
from scipy.ndimage import convolve1d

from facegen.imaging.strands import BEARD, GLASSES, HAIR, soften_strands

SIZE = 20
QUARTERS = [0.25, 0.5, 0.25]


def blurred(image):
    """A 3 x 3 binomial blur, the border repeated."""
    rows = convolve1d(image.astype(np.float64), QUARTERS, axis=0, mode="nearest")
    return convolve1d(rows, QUARTERS, axis=1, mode="nearest")


@pytest.fixture
def pictures():
    """Three pictures: with hair, with a beard at the border, with neither."""
    draws = np.random.default_rng(3)
    radiance = draws.random((3, SIZE, SIZE, 3)).astype(np.float32)
    labels = np.zeros((3, SIZE, SIZE), np.uint8)
    labels[0, 4:11, 5:13] = np.where(draws.random((7, 8)) < 0.6, HAIR, 1)
    labels[1, -2:, -3:] = labels[1, 0, 0] = BEARD
    labels[1, 9, 3:15] = GLASSES
    return radiance, labels


def test_strands_are_blended_by_how_many_there_are(pictures):
    radiance, labels = pictures
    found = radiance.copy()
    soften_strands(found, labels)
    for before, after, label in zip(radiance, found, labels, strict=True):
        share = np.minimum(2 * blurred(np.isin(label, (HAIR, BEARD, GLASSES))), 1)[..., None]
        expected = before + share * (blurred(before) - before)
        np.testing.assert_allclose(after, expected, atol=1e-6)
        np.testing.assert_array_equal(after[share[..., 0] == 0], before[share[..., 0] == 0])
    assert abs(found - radiance)[:2].max(axis=(1, 2, 3)).min() > 0.1
