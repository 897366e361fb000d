"""Faces drawn into photographs: the mesh over the face, the points where they were found."""

import numpy as np
import pytest
from PIL import Image

from facegen.learning import faces, overlay, placing
from facegen.learning.images import find_images
from facegen.sampling.estimates import Estimates


@pytest.fixture
def estimates(generic):
    """Two faces of one grey photograph, and one of another."""
    theta = np.zeros((3, generic.layout.width), np.float32)
    K = placing.camera_matrix(200, 160, None)
    points = generic.mean_face[generic.landmarks]
    places, marks = [(-80, 0, -900), (90, 20, -900), (0, 0, -900)], []
    for place in places:
        seen = points + place
        marks.append(np.stack([-seen[:, 0], seen[:, 1]], 1) / seen[:, 2:] * K[0, 0] + K[:2, 2])
    landmarks = np.array(marks, np.float32)
    box = np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1)
    return Estimates(
        theta,
        ("a.png#1", "a.png#2", "more/b.png"),
        landmarks=landmarks,
        box=box,
        K=np.stack([K] * 3),
        model_to_camera=np.stack([placing.placed(generic, theta[0], m, K) for m in landmarks]),
    )


def test_photographs_and_a_sheet_are_drawn(generic, estimates, tmp_path):
    photographs = tmp_path / "photographs"
    (photographs / "more").mkdir(parents=True)
    for name in ("a.png", "more/b.png", "unused.png"):
        Image.new("RGB", (200, 160), (20, 40, 60)).save(photographs / name)
    out = tmp_path / "overlay"
    overlay.draw(out, estimates, find_images([photographs], print), generic)
    assert sorted(path.name for path in out.iterdir()) == [
        "a.png.overlay.jpg",
        "faces.jpg",
        "more_b.png.overlay.jpg",
    ]
    with Image.open(out / "faces.jpg") as sheet:
        assert sheet.size == (3 * overlay.TILE, 2 * overlay.TILE)
    with Image.open(out / "a.png.overlay.jpg") as drawn:
        scale = drawn.width / 200
        pixels = np.asarray(drawn).astype(int)
    for row in range(2):
        u, v = (estimates.landmarks[row, 33] * scale).astype(int)
        patch = pixels[v - 20 : v + 20, u - 20 : u + 20]
        assert patch[..., 0].mean() > 100  # The mesh, over what is dark.
        green = patch[..., 1] - patch[..., 0]
        assert green.max() > 100  # The landmark.
    assert np.abs(pixels[:5, :5] - [20, 40, 60]).max() < 12


def test_without_the_model_landmarks_alone_are_drawn(estimates, tmp_path):
    Image.new("RGB", (200, 160), (20, 40, 60)).save(tmp_path / "a.png")
    overlay.draw(tmp_path / "out", estimates, find_images([tmp_path / "a.png"], print), None)
    with Image.open(tmp_path / "out" / "a.png.overlay.jpg") as drawn:
        pixels = np.asarray(drawn).astype(int)
    assert (pixels[..., 1] - pixels[..., 0]).max() > 100
    assert np.median(pixels[..., 0]) < 30


def test_a_photograph_of_several_faces_is_one():
    assert faces.photograph_of("group.jpg#2") == "group.jpg"
    assert faces.photograph_of("c#.jpg") == "c#.jpg"
    assert overlay.file_of("more/b.png").name == "more_b.png.overlay.jpg"
