"""Landmarks and boxes of photographs, as people's tools write them."""

import json

import numpy as np
import pytest

from facegen.errors import FacegenError, UsageError
from facegen.learning.points import read_points

LANDMARKS = np.random.default_rng(0).uniform(1, 99, (68, 2)).round(3)
ENCODINGS = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with BOM": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16 without BOM": lambda text: text.encode("utf-16-le"),
    "latin-1": lambda text: text.encode("latin-1"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
}
PTS = "version: 1\nn_points:  68\n{\n" + "\n".join(f"{x} {y}" for x, y in LANDMARKS) + "\n}\n"


def only(points, key):
    """The one face of a picture."""
    (face,) = points.of(key)
    return face


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["json", "csv"])
def test_any_encoding_is_read(tmp_path, kind, encoding):
    row = ",".join(map(str, LANDMARKS.reshape(-1)))
    table = json.dumps({"M\u00fcller.png": LANDMARKS.tolist()}, ensure_ascii=False)
    text = {"json": table, "csv": f"key,points\nM\u00fcller.png,{row}\n"}[kind]
    path = tmp_path / f"points.{kind}"
    path.write_bytes(ENCODINGS[encoding](text))
    np.testing.assert_allclose(only(read_points(path), "M\u00fcller.png"), LANDMARKS, rtol=1e-5)


@pytest.mark.parametrize(
    "key",
    [
        "M\u00fcller.png",
        "Mu\u0308ller.png",
        "folder/M\u00fcller.png",
        r"M\xfcller.png",
        "M\u00fcller.jpg",
    ],
)
@pytest.mark.parametrize(
    "name",
    ["M\u00fcller.png", "M\u00fcller", "Mu\u0308ller", "C:\\photos\\M\u00fcller", "x/M\u00fcller"],
)
def test_a_picture_is_found_however_its_name_is_written(tmp_path, key, name):
    (tmp_path / "a.json").write_text(json.dumps({name: [1, 2, 3, 4]}))
    points = read_points(tmp_path / "a.json")
    if name.endswith(".png") and key.endswith(".jpg"):
        with pytest.raises(FacegenError, match="no landmarks or box"):
            points.of(key)
    else:
        assert only(points, key).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "text",
    [
        PTS,
        PTS.replace("n_points", "N_Points").replace("version", "VERSION"),
        PTS.replace("\n", "\r\n"),
        PTS.replace("version: 1\nn_points:  68\n", ""),
        PTS.replace("n_points:  68", "n_points:68"),
    ],
)
def test_pts_files_are_read_with_pixels_counted_from_one(tmp_path, text):
    path = tmp_path / "face.pts"
    path.write_bytes(text.encode())
    np.testing.assert_allclose(only(read_points(path), "face.png"), LANDMARKS - 0.5, rtol=1e-5)
    np.testing.assert_allclose(only(read_points(tmp_path), "face.jpg"), LANDMARKS - 0.5, rtol=1e-5)


def test_arrays_are_read(tmp_path):
    np.save(tmp_path / "one.npy", LANDMARKS)
    np.save(tmp_path / "two.npy", np.stack([LANDMARKS, LANDMARKS + 1]))
    points = read_points(tmp_path)
    np.testing.assert_allclose(only(points, "one.png"), LANDMARKS, rtol=1e-5)
    assert len(points.of("two.png")) == 2


def test_a_picture_may_have_several_faces(tmp_path):
    faces = [LANDMARKS.tolist(), (LANDMARKS + 5).tolist()]
    boxes = [[1, 2, 3, 4], [[1, 2], [3, 4]]]
    (tmp_path / "a.json").write_text(json.dumps({"a": faces, "b": boxes}))
    points = read_points(tmp_path / "a.json")
    np.testing.assert_allclose(points.of("a.png"), faces, rtol=1e-5)
    assert [face.tolist() for face in points.of("b")] == [[[1, 2], [3, 4]]] * 2
    (tmp_path / "b.csv").write_text("a.png;1,5;2;3;4\na.png;5;6;7;8\n")
    first, second = read_points(tmp_path / "b.csv").of("a.png")
    assert first.tolist() == [[1.5, 2], [3, 4]]
    assert second.tolist() == [[5, 6], [7, 8]]


VALUES = ["[1, 2, 3]", '"x"', "[1, 1, 1, 1]", "[0,0,NaN,1]", "[[1, 2], [3]]", '{"b": 1}', "[]",
          "null", "[1e400, 1, 2, 3]", "1" + "0" * 400]  # fmt: skip
BAD = ["", "[]", "{}", "[" * 100_000, *(f'{{"a": {value}}}' for value in VALUES)]


@pytest.mark.parametrize("text", BAD)
def test_foreign_landmarks_are_refused_in_one_line(tmp_path, text):
    path = tmp_path / "points.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"points\.json") as caught:
        read_points(path)
    assert "\n" not in str(caught.value)


def npy(descr, shape):
    """An .npy file that states an array, without its values."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pts", b"version: 1\nn_points: 67\n{\n1 2\n}\n", "states 67 points and holds 1"),
        ("a.pts", b"n_points: 68", "not a list of points"),
        ("a.pts", b"{\n1 nan\n}", "not a list of points"),
        ("a.npy", b"\x93NUMPY", "not an .npy file"),
        ("a.npy", npy("'|O'", "(1,)"), "holds object"),
        ("a.npy", npy("'<f4'", "(100000000000,)"), "not numbers that are there"),
        ("a.npy", npy("'<f4'", "(-1,)"), "not numbers that are there|not an .npy"),
        ("a.npy", npy("-" * 9000 + "1", "(1,)"), "not an .npy file"),
        ("a.csv", b"", "no landmarks"),
        ("a.csv", b"a," + b"1" * 200_000, "neither JSON nor CSV: field larger"),
    ],
)  # fmt: skip
def test_other_files_are_refused_by_the_true_reason(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=message):
        read_points(tmp_path / name)
