"""A user's landmarks of a model: as text, JSON, CSV, .pts, .npy and FLAME's embeddings."""

import codecs
import json
import pickle
import sys
import types
from collections import OrderedDict
from unittest import mock

import foreign_models as write
import numpy as np
import pytest

from facegen.errors import FacegenError
from facegen.models.importers import landmarks

TRUTH = write.truth()
PLACES = TRUTH.points[TRUTH.landmarks] + 0.01


def read(path, points=TRUTH.points):
    return landmarks.read(path, points, TRUTH.triangles)


def assert_reads(path):
    np.testing.assert_array_equal(read(path), TRUTH.landmarks)


def refusal(path):
    with pytest.raises(FacegenError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lines(rows, between=" ", end="\n"):
    return "".join(between.join(map(str, row)) + end for row in rows)


TEXTS = {
    "numbers": lines([i] for i in TRUTH.landmarks),
    "numbers counted from 1": lines((i, n) for i, n in enumerate(TRUTH.landmarks, 1)),
    "points": lines(PLACES),
    "points counted from 0": lines((i, *place) for i, place in enumerate(PLACES)),
    "weights": lines([i, 0.6, 0, 0.3, 1, 0.1] for i in TRUTH.landmarks),
    "CSV with a header": "x,y,z\n" + lines(PLACES, ","),
    "CSV of semicolons": "x;y;z\n" + lines(PLACES, ";"),
    "lines of Windows": "# mine\r\n" + lines(PLACES, "\t", "\r\n"),
    "JSON": json.dumps(TRUTH.landmarks.tolist()),
    "JSON by a name": json.dumps({"landmarks": PLACES.tolist()}),
    ".pts": "version: 1\nn_points: 68\n{\n" + lines(PLACES) + "}\n",
    ".pts in capitals": "VERSION: 1\nN_POINTS:  68\n{\n" + lines(PLACES) + "}\n",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_landmarks_may_be_written_as(kind, tmp_path):
    (tmp_path / "l").write_text(TEXTS[kind])
    assert_reads(tmp_path / "l")


@pytest.mark.parametrize("kind", ["points", "JSON", ".pts"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (b"", "utf-16-be")],
)
def test_landmarks_may_be_encoded_as_windows_does(kind, mark, encoding, tmp_path):
    (tmp_path / "l.txt").write_bytes(mark + TEXTS[kind].encode(encoding))
    assert_reads(tmp_path / "l.txt")


def test_comments_may_be_in_latin_1(tmp_path):
    (tmp_path / "l.txt").write_bytes("# Müller\n".encode("latin-1") + TEXTS["points"].encode())
    assert_reads(tmp_path / "l.txt")


@pytest.mark.parametrize("array", [TRUTH.landmarks, TRUTH.landmarks[:, None], PLACES])
@pytest.mark.parametrize("order", ["C", "F"])
def test_landmarks_may_be_a_plain_npy(array, order, tmp_path):
    np.save(tmp_path / "l.npy", np.asarray(array, order=order))
    assert_reads(tmp_path / "l.npy")


def test_a_point_means_a_vertex_of_a_triangle(tmp_path):
    np.save(tmp_path / "l.npy", PLACES)
    points = np.concatenate([TRUTH.points, PLACES.astype(np.float32)])
    np.testing.assert_array_equal(read(tmp_path / "l.npy", points), TRUTH.landmarks)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3", "not 68 landmarks"),
        ("a b", "not a list"),
        ("nan " * 68, "not a number"),
        (" ".join(["999999"] * 68), "do not exist"),
        (" ".join(["1.5"] * 68), "not whole"),
        (lines(PLACES / 1000 + 5), "lies"),
        ("{\n" + lines(PLACES[:, :2]) + "}", "not a list"),
        ("n_points: 68\n{\n" + lines(PLACES[:, :2]) + "}", "of a picture"),
        ("n_points: 68\n{\n" + lines(PLACES[:9]) + "}", "states 68 points and holds 9"),
        ("[" * 9000, "not a list"),
        ("[1" + "0" * 400 + "]", "not a list"),
        ("", "not 68 landmarks"),
    ],
)
def test_landmarks_that_are_none_are_refused(text, message, tmp_path):
    (tmp_path / "l.txt").write_text(text)
    assert message in refusal(tmp_path / "l.txt")


def embedding(key="full_lmk_faces_idx", weights="full_lmk_bary_coords", count=68):
    """FLAME's table: landmark i lies in triangle i, nearest to its second corner."""
    shares = np.tile([0.2, 0.5, 0.3], (count, 1))
    return {key: np.arange(count)[None], weights: shares[None]}


@pytest.mark.parametrize("suffix", [".npy", ".pkl", ""])
def test_landmarks_may_be_an_embedding_of_flame(suffix, tmp_path):
    path = tmp_path / f"landmark_embedding{suffix}"
    table = embedding()
    with path.open("wb") as file:
        np.save(file, table, allow_pickle=True) if suffix == ".npy" else pickle.dump(table, file)
    np.testing.assert_array_equal(read(path), TRUTH.triangles[:68, 1])


def test_an_embedding_of_51_lacks_the_jaw(tmp_path):
    path = tmp_path / "l.pkl"
    path.write_bytes(pickle.dumps(embedding("lmk_face_idx", "lmk_b_coords", 51), 2))
    np.testing.assert_array_equal(read(path)[17:], TRUTH.triangles[:51, 1])
    assert (read(path)[:17] == -1).all()


def save_with_tensors(path, table, *tensors):
    """An .npy as DECA's: a table some of whose values are torch tensors, torch not being loaded."""
    utilities, storage = types.ModuleType("torch._utils"), types.ModuleType("torch.storage")

    def rebuild(*_):
        raise AssertionError("is not called while writing")

    for room, name in ((utilities, "_rebuild_tensor_v2"), (storage, "_load_from_bytes")):
        function = types.FunctionType(rebuild.__code__, {}, name)
        function.__module__, function.__qualname__ = room.__name__, name
        setattr(room, name, function)

    class Called:
        def __init__(self, function, *words):
            self.words = function, words

        def __reduce__(self):
            return self.words

    bytes_of = Called(storage._load_from_bytes, b"stored as torch stores it")
    rebuilt = (bytes_of, 0, (68,), (1,), False, OrderedDict())
    tensor = Called(utilities._rebuild_tensor_v2, *rebuilt)
    rooms = {room.__name__: room for room in (types.ModuleType("torch"), utilities, storage)}
    with mock.patch.dict(sys.modules, rooms):
        np.save(path, table | dict.fromkeys(tensors, tensor), allow_pickle=True)
    return path


def test_an_embedding_may_hold_torch_tensors_beside(tmp_path):
    names = ("dynamic_lmk_faces_idx", "dynamic_lmk_bary_coords")
    path = save_with_tensors(tmp_path / "l.npy", embedding(), *names)
    np.testing.assert_array_equal(read(path), TRUTH.triangles[:68, 1])


def test_an_embedding_of_torch_tensors_says_so(tmp_path):
    path = save_with_tensors(tmp_path / "l.npy", embedding(), "full_lmk_faces_idx")
    assert "full_lmk_faces_idx is a torch tensor" in refusal(path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "no landmark embedding"),
        (embedding(count=50), "not 51 or 68"),
        (embedding() | {"full_lmk_bary_coords": np.ones(7)}, "three weights"),
        (embedding() | {"full_lmk_faces_idx": "many"}, "numbers"),
        (embedding() | {"full_lmk_faces_idx": np.full(68, 10**6)}, "do not exist"),
    ],
)
def test_an_embedding_that_is_none_is_refused(table, message, tmp_path):
    np.save(tmp_path / "l.npy", table, allow_pickle=True)
    assert message in refusal(tmp_path / "l.npy")


def test_other_arrays_and_what_is_not_there_are_refused(tmp_path):
    np.save(tmp_path / "l.npy", np.array(["a", "b"]))
    assert "not numbers" in refusal(tmp_path / "l.npy")
    np.save(tmp_path / "l.npy", PLACES)
    (tmp_path / "l.npy").write_bytes((tmp_path / "l.npy").read_bytes()[:-1])
    assert "not numbers that are there" in refusal(tmp_path / "l.npy")
    assert "No such file" in refusal(tmp_path / "none.npy")
