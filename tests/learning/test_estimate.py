"""Estimates come in order, and what cannot be estimated is named."""

import json
from dataclasses import replace

import numpy as np
import pytest
from estimators import oracle, trained
from PIL import Image
from specs import folder, samples_of

import facegen
from facegen.errors import FacegenError
from facegen.learning import detection, estimate, images
from facegen.learning.estimate import EstimateSettings
from facegen.learning.faces import Cropping
from facegen.learning.found import Found
from facegen.learning.frames import Framing
from facegen.learning.points import read_points
from facegen.scene.parameters import layout_of

FRAMING = Framing(32, 1.5, 0.0)
WHOLE = EstimateSettings(Cropping("whole", FRAMING))
WIDTH = layout_of(2, 2, 2).width


def found_in(*paths):
    """The images in these places."""
    return images.find_images(paths, print)


def colours(pixels):
    """An estimator whose theta is the mean colour, over and over."""
    return Found(np.resize(pixels.mean((1, 2)).T, (WIDTH, len(pixels))).T.astype(np.float32))


def run(estimator, found, settings=WHOLE):
    return estimate.estimate(trained(estimator), found, settings)


def test_estimates_come_in_order_whatever_the_batch(photographs):
    estimated = [
        run(colours, found_in(photographs), replace(WHOLE, batch=batch))[0] for batch in (1, 2, 64)
    ]
    assert estimated[0].keys == ("a.png", "c.png", "more/b.png")
    for other in estimated[1:]:
        np.testing.assert_array_equal(estimated[0].theta, other.theta)


@pytest.mark.parametrize("crop", ["whole", "detect"])
def test_a_shards_images_reach_the_network_as_they_are(masked, crop):
    truth = samples_of(masked)
    shards = sorted(folder(masked).glob("*.tar"))
    settings = EstimateSettings(Cropping(crop, Framing(64, 1.45, 0.0)))
    estimated, skipped = estimate.estimate(
        trained(oracle(truth), masked.layout, 64), found_in(*shards), settings
    )
    assert not skipped
    assert [int(key) for key in estimated.keys] == list(range(20))
    np.testing.assert_allclose(
        estimated.theta, [sample["theta.npy"] for sample in truth], atol=1e-6
    )


def test_unusable_images_are_passed_over_and_named_or_end_it(photographs):
    (photographs / "bad.jpg").write_bytes(b"not an image")
    data = (photographs / "a.png").read_bytes()
    (photographs / "cut.png").write_bytes(data[: len(data) // 2])
    readable, skipped = run(colours, found_in(photographs))
    assert [image.key for image in skipped] == ["bad.jpg", "cut.png"]
    assert "bad.jpg: not an image of a kind" in skipped[0].message
    assert readable.keys == ("a.png", "c.png", "more/b.png")
    strict = replace(WHOLE, strict=True)
    with pytest.raises(FacegenError, match=r"bad\.jpg: not an image of a.*--strict"):
        run(colours, found_in(photographs), strict)
    with pytest.raises(FacegenError, match="no image could be used"):
        run(colours, found_in(photographs / "bad.jpg"))
    with pytest.raises(FacegenError, match=r"gone\.jpg: No such file"):
        run(colours, found_in(photographs / "gone.jpg"), strict)


def test_an_estimate_that_is_not_finite_is_an_error(photographs):
    def lost(pixels):
        return Found(np.full((len(pixels), WIDTH), np.nan, np.float32))

    with pytest.raises(FacegenError, match=r"a\.png: .*not finite"):
        run(lost, found_in(photographs))


def test_each_face_of_a_picture_is_estimated(photographs, tmp_path):
    boxes = {"a.png": [[0, 0, 20, 20], [20, 20, 40, 40]], "c.png": [0, 0, 9, 9]}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    cropping = Cropping("given", FRAMING, read_points(tmp_path / "boxes.json"))
    estimated, skipped = run(colours, found_in(photographs), EstimateSettings(cropping))
    assert estimated.keys == ("a.png#1", "a.png#2", "c.png")
    assert not np.array_equal(estimated.theta[0], estimated.theta[1])
    assert [image.key for image in skipped] == ["more/b.png"]


@pytest.fixture(scope="module")
def party(tmp_path_factory):
    """A photograph of two faces, the second one smaller, and where their landmarks lie."""
    recipe = facegen.load_recipe("natural").with_changes(
        {
            "attire": {"hand": 0.0, "mask": 0.0, "hat": 0.0, "glasses": 0.0},
            "rotation": {"yaw": {"distribution": "constant", "value_degrees": 0.0}},
        }
    )
    model = facegen.load_model("generic")
    samples = facegen.sample(recipe, model, range(2), seed=3)
    faces = facegen.render(samples, model, ["landmarks2d"], "cpu")
    size = faces.images.shape[1]
    picture = Image.new("RGB", (2 * size, size + 40), (90, 100, 110))
    small = Image.fromarray(faces.images[1]).resize((size // 2, size // 2))
    picture.paste(small, (20, 30))
    picture.paste(Image.fromarray(faces.images[0]), (size, 20))
    path = tmp_path_factory.mktemp("party") / "party.png"
    picture.save(path)
    marks = faces.layers["landmarks2d"][..., :2]
    return path, [marks[0] + (size, 20), marks[1] / 2 + (20, 30)]


def test_faces_are_detected_the_largest_first(party):
    path, marks = party
    with Image.open(path) as picture:
        boxes = detection.detector().faces(picture.convert("RGB"))
    assert len(boxes.scores) == 2
    for box, points in zip(boxes.sides, marks, strict=True):
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        assert (box[:2] < middle).all()
        assert (middle < box[2:]).all()
        assert 0.5 < (box[2] - box[0]) / np.ptp(points, axis=0).max() < 1.6


def test_it_looks_again_upright_and_answers_in_the_photograph(party):
    path, marks = party
    seen = []

    def leaning(pixels):
        """A head that leans to the left by 0.3 wherever it is looked at."""
        seen.append(pixels)
        count = len(pixels)
        places = np.linspace(0.3, 0.7, 68, dtype=np.float32)
        theta = np.zeros((count, WIDTH), np.float32)
        theta[:, 2] = 0.3
        return Found(
            theta,
            np.ones_like(theta),
            np.tile(places[None, :, None], (count, 1, 2)),
            np.full((count, 68), 0.02, np.float32),
            np.ones((count, 68), np.float32),
        )

    settings = EstimateSettings(Cropping("detect", FRAMING))
    estimated, skipped = run(leaning, found_in(path), settings)
    assert not skipped
    assert estimated.keys == ("party.png#1", "party.png#2")
    assert len(seen) == 2
    assert (seen[0] != seen[1]).any()
    np.testing.assert_allclose(estimated.theta[:, 2], 0.3 + 0.3, atol=1e-5)
    for landmarks, box, points in zip(estimated.landmarks, estimated.box, marks, strict=True):
        np.testing.assert_allclose(box, [*landmarks.min(axis=0), *landmarks.max(axis=0)])
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        assert np.abs(landmarks.mean(axis=0) - middle).max() < 0.5 * np.ptp(points, axis=0).max()
    assert estimated.model_to_camera is None
    assert ((estimated.confidence > 0) & (estimated.confidence < 1)).all()


def marking(low, high, seen, width=WIDTH):
    """An estimator that finds landmarks from low to high, and notes what it saw."""

    def estimator(pixels):
        seen.append(pixels)
        places = np.linspace(low, high, 68, dtype=np.float32)
        landmarks = np.tile(places[None, :, None], (len(pixels), 1, 2))
        return Found(np.zeros((len(pixels), width), np.float32), None, landmarks)

    return estimator


def test_what_is_found_far_off_does_not_move_the_frame(party):
    seen = []
    run(marking(4, 9, seen), found_in(party[0]), EstimateSettings(Cropping("detect", FRAMING)))
    np.testing.assert_array_equal(seen[0], seen[-1])


def test_images_of_shards_are_looked_at_once(masked):
    seen = []
    network = trained(marking(0.1, 0.9, seen, masked.layout.width), masked.layout, 64)
    shard = sorted(folder(masked).glob("*.tar"))[0]
    settings = EstimateSettings(Cropping("detect", Framing(64, 1.45, 0.0)))
    estimate.estimate(network, found_in(shard), settings)
    assert len(seen) == 1


def test_confidence_falls_with_the_expected_error():
    marks = np.zeros((3, 68, 2), np.float32)
    marks[:, 45] = (0.5, 0)
    sd = np.array([[0.0], [0.05 / np.sqrt(np.pi / 2)], [0.5]], np.float32).repeat(68, 1)
    found = Found(np.zeros((3, 3)), None, marks, sd)
    np.testing.assert_allclose(estimate.confidence_of(found)[:2], [1, 0.5], rtol=1e-5)
    assert estimate.confidence_of(found)[2] < 0.02


def test_a_photograph_without_a_face_is_passed_over(photographs):
    settings = EstimateSettings(Cropping("detect", FRAMING))
    with pytest.raises(FacegenError, match="no face was found"):
        run(colours, found_in(photographs), replace(settings, strict=True))
