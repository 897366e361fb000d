"""Estimates come in order, and what cannot be estimated is named."""

import json

import numpy as np
import pytest
from estimators import oracle
from specs import folder, samples_of

from facegen.errors import FacegenError
from facegen.learning import estimate, images
from facegen.learning.estimate import EstimateSettings
from facegen.learning.estimators import Found
from facegen.learning.images import Framing
from facegen.learning.points import read_points

FRAMING = Framing(32, 1.5, 0.0)


def found_in(*paths):
    """The images in these places."""
    return images.find_images(paths, print)


def colours(images):
    """An estimator whose theta is the mean colour."""
    return Found(images.mean((1, 2)).astype(np.float32))


def test_estimates_come_in_order_whatever_the_batch(photographs):
    estimated = [
        estimate.estimate(
            colours,
            found_in(photographs),
            EstimateSettings(FRAMING, batch=batch),
        )[0]
        for batch in (1, 2, 64)
    ]
    assert estimated[0].keys == ("a.png", "c.png", "more/b.png")
    for other in estimated[1:]:
        np.testing.assert_array_equal(estimated[0].theta, other.theta)


def test_a_shards_images_reach_the_network_as_they_are(masked):
    truth = samples_of(masked)
    shards = sorted(folder(masked).glob("*.tar"))
    settings = EstimateSettings(Framing(64, 1.45, 0.0))
    estimated, skipped = estimate.estimate(oracle(truth), found_in(*shards), settings)
    assert not skipped
    assert [int(key) for key in estimated.keys] == list(range(20))
    np.testing.assert_array_equal(estimated.theta, [sample["theta.npy"] for sample in truth])


def test_unreadable_images_are_named_or_skipped(photographs):
    (photographs / "bad.jpg").write_bytes(b"not an image")
    data = (photographs / "a.png").read_bytes()
    (photographs / "cut.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(FacegenError, match=r"bad\.jpg: not an image of a.*--skip-bad"):
        estimate.estimate(colours, found_in(photographs), EstimateSettings(FRAMING))
    settings = EstimateSettings(FRAMING, skip_bad=True)
    readable, skipped = estimate.estimate(colours, found_in(photographs), settings)
    assert [image.key for image in skipped] == ["bad.jpg", "cut.png"]
    assert readable.keys == ("a.png", "c.png", "more/b.png")
    with pytest.raises(FacegenError, match="no image could be read"):
        estimate.estimate(colours, found_in(photographs / "bad.jpg"), settings)
    with pytest.raises(FacegenError, match=r"gone\.jpg: No such file"):
        estimate.estimate(colours, found_in(photographs / "gone.jpg"), EstimateSettings(FRAMING))


def test_an_estimate_that_is_not_finite_is_an_error(photographs):
    with pytest.raises(FacegenError, match=r"a\.png: .*not finite"):
        estimate.estimate(
            lambda images: Found(np.full((len(images), 3), np.nan, np.float32)),
            found_in(photographs),
            EstimateSettings(FRAMING),
        )


def test_each_face_of_a_picture_is_estimated(photographs, tmp_path):
    boxes = {"a.png": [[0, 0, 20, 20], [20, 20, 40, 40]], "c.png": [0, 0, 9, 9]}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    settings = EstimateSettings(FRAMING, read_points(tmp_path / "boxes.json"), skip_bad=True)
    found = found_in(photographs)
    estimated, skipped = estimate.estimate(colours, found, settings)
    assert estimated.keys == ("a.png#1", "a.png#2", "c.png")
    assert not np.array_equal(estimated.theta[0], estimated.theta[1])
    assert [image.key for image in skipped] == ["more/b.png"]
