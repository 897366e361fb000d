"""Images found, framed and cropped; landmarks and boxes read."""

import json

import numpy as np
import pytest
from PIL import Image
from specs import folder, samples_of

from facegen.errors import FacegenError, UsageError
from facegen.learning import images
from facegen.learning.images import Framing
from facegen.scene.cameras import project, to_camera_space

FRAMING = Framing(32, 1.5, 0.0)


def test_images_are_found_in_folders_lists_files_and_shards(masked, photographs, tmp_path):
    (tmp_path / "list.txt").write_text("# mine\nphotographs/a.png\n\nphotographs/c.png\n")
    find = images.find_images
    assert [key for key, _ in find([photographs])] == ["a.png", "c.png", "more/b.png"]
    listed = ["photographs/a.png", "photographs/c.png"]
    assert [key for key, _ in find([tmp_path / "list.txt"])] == listed
    assert [key for key, _ in find([photographs / "a.png"])] == ["a.png"]
    shard = folder(masked) / "train-000001.tar"
    assert [int(key) for key, _ in find([shard])] == list(range(10, 20))
    with pytest.raises(UsageError, match="second image"):
        list(find([photographs, photographs / "a.png"]))


def test_a_crop_is_the_square_around_the_box():
    points = np.array([[10, 20], [30, 25]], np.float32)
    left, top, side = Framing(32, 1.5, 0.1).square(points)
    assert side == pytest.approx(20 * 1.5)
    assert (left + side / 2, top + side / 2) == pytest.approx((20 + 2, 22.5 + 2))


def test_a_larger_photograph_is_cropped_like_the_recipes(masked, ellipsoid):
    """A face in an image padded on all sides comes back as it was, by its landmarks."""
    sample = samples_of(masked)[0]
    label, theta = sample["json"], sample["theta.npy"][None]
    geometry = masked.layout.unpack(theta).geometry
    points = ellipsoid.landmark_geometry.evaluate(geometry)
    seen = to_camera_space(points, np.array(label["model_to_camera"], np.float32)[None])
    uv = project(seen, np.array(label["K"], np.float32)[None])[0]
    side = np.ptp(uv, axis=0).max()
    centre = (uv.min(0) + uv.max(0)) / 2
    framing = Framing(64, 64 / side, 0.0)
    left, top, width = framing.square(uv + 20)
    assert width == pytest.approx(64, rel=1e-4)
    assert (left, top) == pytest.approx(tuple(centre - 32 + 20), abs=1e-3)
    padded = Image.fromarray(np.pad(sample["png"], ((20, 20), (20, 20), (0, 0))))
    box = np.array([[20, 20], [84, 84]], np.float32)
    same = images.decode(encoded(padded), Framing(64, 1.0, 0.0), box)
    np.testing.assert_array_equal(same, sample["png"])


def encoded(image):
    from io import BytesIO

    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_a_crop_past_the_edge_is_black_there():
    white = encoded(Image.new("RGB", (20, 20), "white"))
    cut = images.decode(white, Framing(40, 1.0, 0.0), np.array([[-10, -10], [30, 30]]))
    assert cut[:8].max() == 0
    assert cut[12:28, 12:28].min() == 255
    with pytest.raises(FacegenError, match="outside"):
        images.decode(white, FRAMING, np.array([[100, 100], [120, 120]]))
    with pytest.raises(FacegenError, match="outside"):
        images.decode(white, FRAMING, np.array([[-1e9, -1e9], [1e9, 1e9]]))


def test_landmarks_and_boxes_are_read_from_json_and_csv(tmp_path):
    landmarks = np.random.default_rng(0).uniform(0, 99, (68, 2)).round(3)
    (tmp_path / "a.json").write_text(json.dumps({"a": landmarks.tolist(), "b": [1, 2, 3, 4]}))
    points = images.read_points(tmp_path / "a.json")
    np.testing.assert_allclose(points["a"], landmarks, rtol=1e-5)
    assert points["b"].tolist() == [[1, 2], [3, 4]]
    (tmp_path / "b.csv").write_text("key,x0,y0,x1,y1\nmore/b.png,1,2,3,4\n")
    points = images.read_points(tmp_path / "b.csv")
    assert images.points_of("more/b.png", points).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(FacegenError, match="no landmarks or box"):
        images.points_of("c.png", points)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"a": [1, 2, 3]}', '{"a": "x"}', '{"a": [1, 1, 1, 1]}', '{"a": [0,0,NaN,1]}',
     '{"a": [[1, 2], [3]]}', '{"a": {"b": 1}}', "[" * 100_000],
)  # fmt: skip
def test_foreign_landmarks_are_refused_in_one_line(tmp_path, text):
    path = tmp_path / "points.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"points\.json") as caught:
        images.read_points(path)
    assert "\n" not in str(caught.value)
