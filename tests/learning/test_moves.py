"""Crops moved with all that labels them."""

from dataclasses import replace

import numpy as np
import pytest
from specs import folder

from facegen.learning import batches, mirror, moves
from facegen.learning.labelled import decoded
from facegen.learning.training_set import open_training_set
from facegen.scene.cameras import rotation_matrix
from facegen.scene.lighting import irradiance


@pytest.fixture(scope="module")
def faces(marked):
    """The small faces of a data set, with landmarks."""
    reading = batches.reading_of(open_training_set([folder(marked)]), 0.0, landmarks=True)
    return decoded(list(batches.stream(reading.paths, reading.kind, None)), reading.kind)


def test_faces_are_read_with_their_landmarks_in_shares(faces):
    assert faces.images.shape == (24, 32, 32, 3)
    assert faces.images.dtype == np.uint8
    assert faces.landmarks.shape == (24, 68, 2)
    assert 0 < faces.landmarks.min() < faces.landmarks.max() < 1
    assert set(np.unique(faces.visible)) == {0, 1}
    assert faces.known.all()


def drawn(shift=(0, 0), zoom=1.0, turn=0.0, mirrored=False):
    """One move, stated."""
    return moves.Drawn(
        np.array([shift], float), np.array([zoom]), np.radians([turn]), np.array([mirrored])
    )


def dotted(point, size=33):
    """A black image with a soft white dot at a place in shares of its side."""
    v, u = (np.mgrid[:size, :size] + 0.5) / size
    dot = 255 * np.exp(-((u - point[0]) ** 2 + (v - point[1]) ** 2) / 0.01)
    return np.repeat(dot[None, :, :, None], 3, axis=3).astype(np.uint8)


@pytest.mark.parametrize(
    "move",
    [
        drawn(shift=(0.1, -0.05)),
        drawn(zoom=1.3),
        drawn(turn=20),
        drawn(mirrored=True),
        drawn((0.05, 0.1), 0.8, -15, True),
    ],
)
def test_landmarks_move_as_the_pixels_do(faces, move):
    place = np.array([0.6, 0.35])
    face = replace(
        faces.take(np.array([0])),
        images=dotted(place),
        landmarks=np.tile(place, (1, 68, 1)).astype(np.float32),
    )
    after = moves.moved(face, move)
    light = after.images[0, :, :, 0].astype(float)
    v, u = (np.mgrid[:33, :33] + 0.5) / 33
    centre = [(light * u).sum() / light.sum(), (light * v).sum() / light.sum()]
    np.testing.assert_allclose(after.landmarks[0, 0], centre, atol=0.01)


def test_theta_moves_as_the_head_does(faces):
    face = faces.take(np.array([0, 1]))
    move = moves.Drawn(np.zeros((2, 2)), np.ones(2), np.radians([10, -10]), np.array([False, True]))
    before, after = (face.layout.unpack(f.theta) for f in (face, moves.moved(face, move)))
    for row, flip in ((0, 1), (1, -1)):
        mirror = np.diag([flip, 1, 1])
        spin = rotation_matrix(np.array([0, 0, move.turn[row]]))
        head = spin @ mirror @ rotation_matrix(before.rotation[row]) @ mirror
        np.testing.assert_allclose(rotation_matrix(after.rotation[row]), head, atol=1e-5)
        normals = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        seen = (normals @ mirror @ spin.T).astype(np.float32)
        lit = irradiance(normals, before.illumination[row])
        np.testing.assert_allclose(irradiance(seen, after.illumination[row]), lit, atol=1e-5)
    known = moves.moved(face, move).known
    assert known[0].all()
    assert not known[1, face.layout.slices["shape"]].any()
    assert known[1, face.layout.slices["rotation"]].all()


def test_sides_are_swapped_in_pairs():
    order = mirror.MIRRORED
    assert (order[order] == np.arange(68)).all()
    assert [int(order[i]) for i in (0, 8, 17, 27, 36, 39, 41, 48, 51, 60)] == [
        *(16, 8, 26, 27, 45, 42, 46, 54, 51, 64)
    ]


def test_visibility_goes_with_its_landmark(faces):
    face = faces.take(np.array([0]))
    after = moves.moved(face, drawn(mirrored=True))
    assert (after.visible[0] == face.visible[0, mirror.MIRRORED]).all()
    assert (after.visible != face.visible).any()
