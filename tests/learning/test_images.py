"""Images found, framed and cropped."""

import os

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
    assert [key for key, _ in find([photographs], print)] == ["a.png", "c.png", "more/b.png"]
    listed = ["photographs/a.png", "photographs/c.png"]
    assert [key for key, _ in find([tmp_path / "list.txt"], print)] == listed
    assert [key for key, _ in find([photographs / "a.png"], print)] == ["a.png"]
    shard = folder(masked) / "train-000001.tar"
    assert [int(key) for key, _ in find([shard], print)] == list(range(10, 20))
    with pytest.raises(UsageError, match="second image"):
        list(find([photographs, photographs / "a.png"], print))


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


def test_what_is_passed_over_is_told(photographs):
    (photographs / "notes.txt").write_text("")
    told = []
    assert len(list(images.find_images([photographs], told.append))) == 3
    assert told == [f"{photographs}: 1 files passed over, which are no pictures by name: 1 .txt"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").replace("/", "\\").encode(),
    ],
)
def test_lists_are_read_as_windows_writes_them(photographs, encode):
    (photographs / "list.txt").write_bytes(encode("# mine\nmore/b.png\na.png\n"))
    found = list(images.find_images([photographs / "list.txt"], print))
    assert [key.replace("\\", "/") for key, _ in found] == ["more/b.png", "a.png"]
    assert all(read() for _, read in found)


def test_a_list_may_name_files_by_bytes_that_are_no_text(photographs):
    name = os.fsdecode(b"M\xfcller.png")
    (photographs / "a.png").rename(photographs / name)
    (photographs / "list.txt").write_bytes(b"M\xfcller.png\n")
    ((key, read),) = images.find_images([photographs / "list.txt"], print)
    assert key == r"M\xfcller.png"
    assert read()


@pytest.mark.parametrize("line", [b"a\0b.png", b"x" * 5000, b"gone.png"])
def test_a_line_that_names_no_file_is_an_error_of_one_line(photographs, line):
    (photographs / "list.txt").write_bytes(line + b"\n")
    ((_, read),) = images.find_images([photographs / "list.txt"], print)
    with pytest.raises(FacegenError):
        read()
