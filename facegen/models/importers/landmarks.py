"""The 68 iBUG landmarks as vertices: by names, from a file, or published for a topology."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from facegen.errors import ModelError, located
from facegen.files import read_npy, read_text
from facegen.models.importers import pickles
from facegen.models.importers.foreign import UNKNOWN_LANDMARK
from facegen.models.morphable_model import LANDMARKS
from facegen.scene.points import parse_pts

Int32 = NDArray[np.int32]

MAX_BYTES = 10_000_000
NPY = b"\x93NUMPY"
_SEPARATORS = str.maketrans(",;\t", "   ")
NEAR = 0.05  # of the mean face's size: how far a named point may lie from the surface
_HINT = "68 vertex numbers from 0, or 68 points x y z, or 68 rows of `vertex weight` pairs"

# Names in the Basel Face Models (right and left are the subject's) -> iBUG numbers from 0.
BASEL_NAMES = {
    "center.chin.tip": 8,
    "center.nose.tip": 30,
    "center.nose.attachement_to_philtrum": 33,
    "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39,
    "left.eye.corner_inner": 42,
    "left.eye.corner_outer": 45,
    "right.lips.corner": 48,
    "right.lips.philtrum_ridge": 50,
    "center.lips.upper.outer": 51,
    "left.lips.philtrum_ridge": 52,
    "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
    "center.lips.upper.inner": 62,
    "center.lips.lower.inner": 66,
}

# share/ibug_to_sfm.txt of eos (Apache-2.0), iBUG numbers from 1 -> vertices of sfm_shape_3448.
_SFM_FROM_1 = {9: 33} | dict(
    zip(
        [*range(18, 61), 62, 63, 64, 66, 67, 68],
        [225, 229, 233, 2086, 157, 590, 2091, 666, 662, 658, 2842, 379, 272, 114, 100, 2794, 270,
         2797, 537, 177, 172, 191, 181, 173, 174, 614, 624, 605, 610, 607, 606, 398, 315, 413, 329,
         825, 736, 812, 841, 693, 411, 264, 431, 416, 423, 828, 817, 442, 404],
        strict=True,
    )
)  # fmt: skip

# share/ibug_to_bfm.txt of eos (Apache-2.0): vertices of the Basel Face Model 2009.
_BFM2009_FROM_1 = {
    18: 38792, 20: 40087, 22: 40514, 23: 41091, 25: 41511, 27: 42825, 31: 8319, 34: 8334, 37: 2088,
    40: 5959, 43: 10603, 46: 14472, 49: 5006, 52: 8344, 55: 11714, 58: 8374, 63: 8354, 67: 8366,
}  # fmt: skip

# By number of vertices: a topology is named by it where the family is.
SFM = {3448: _SFM_FROM_1}
BFM2009 = {53490: _BFM2009_FROM_1}


def published(vertices: int, tables: Mapping[int, Mapping[int, int]]) -> Int32 | None:
    """The landmarks published for a topology of so many vertices, -1 where none is."""
    if vertices not in tables:
        return None
    landmarks = _unknown()
    for number, vertex in tables[vertices].items():
        landmarks[number - 1] = vertex
    return landmarks


def from_named_points(
    points: Mapping[str, NDArray[np.float64]], mean: NDArray[np.float32]
) -> tuple[Int32 | None, str]:
    """Landmarks whose names we know, each the nearest vertex of the mean; and a note about them."""
    if not points:
        return None, "no landmarks in the file"
    numbers = dict(BASEL_NAMES) | {f"ibug.{i}": i for i in range(LANDMARKS)}
    named = {numbers[name]: point for name, point in points.items() if name in numbers}
    named = {i: p for i, p in named.items() if p.shape == (3,) and np.isfinite(p).all()}
    if not named:
        return None, f"{len(points)} landmarks in the file, none of a name that we know"
    vertices = _unknown()
    distance, vertex = cKDTree(mean).query(np.stack(list(named.values())))
    near = distance < NEAR * np.ptp(mean, axis=0).max()
    vertices[np.array(list(named))[near]] = vertex[near]
    return vertices, f"{near.sum()} of the file's {len(points)} landmarks are among our 68"


def read(path: Path, points: NDArray[np.float32], triangles: Int32) -> Int32:
    """Landmarks (68,) from the user's file; points (V, 3) are in the file's units.

    68 vertex numbers from 0, 68 points, or 68 rows of vertex and weight pairs (GNM), as text, CSV,
    JSON, .pts or .npy; FLAME's embeddings (.pkl, .npy): triangles with barycentric weights, of all
    or the last 51. A point means the nearest vertex of a triangle.
    """
    # Numbers too large for a vertex are refused below.
    with located(path), np.errstate(all="ignore"):
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ModelError(f"larger than {MAX_BYTES:,} bytes")
            with path.open("rb") as file:
                start = file.read(128)
        except (OSError, ValueError) as error:
            raise ModelError(getattr(error, "strerror", None) or str(error)) from None
        if pickles.recognises(start) or is_npy_of_objects(start):
            vertices = _from_embedding(path, triangles)
        else:
            vertices = _from_numbers(_numbers(path, start), points, triangles)
        if vertices.min() < UNKNOWN_LANDMARK or vertices.max() >= len(points):
            raise ModelError(f"names vertices that do not exist: there are {len(points)}")
        return vertices


def is_npy_of_objects(start: bytes) -> bool:
    """Whether a file begins as an .npy whose array is a pickle."""
    return start.startswith(NPY) and b"'|O'" in start


def _numbers(path: Path, start: bytes) -> NDArray[np.float64]:
    """The file's numbers, without a first column that only counts the landmarks."""
    if start.startswith(NPY):
        values = np.asarray(read_npy(path, MAX_BYTES), np.float64)
    else:
        values = _numbers_of_text(read_text(path, MAX_BYTES))
    if not np.isfinite(values).all():
        raise ModelError("holds a value that is not a number")
    counts = values.ndim == 2 and len(values) == LANDMARKS and values.shape[1] in (2, 4)
    if counts and (np.diff(values[:, 0]) == 1).all() and values[0, 0] in (0, 1):
        return values[:, 1:]
    return values


def _numbers_of_text(text: str) -> NDArray[np.float64]:
    if "{" in text and text.lstrip()[:1] != "{":
        points = parse_pts(text)
        if points.shape[1] != 3:
            raise ModelError("holds points of a picture, not of a head", _HINT)
        return points
    try:
        rows: Any = json.loads(text) if text.lstrip()[:1] in ("[", "{") else _rows(text)
        if isinstance(rows, dict) and len(rows) == 1:
            rows = next(iter(rows.values()))
        return np.array(rows, np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ModelError("not a list of landmarks", _HINT) from None


def _rows(text: str) -> list[list[float]]:
    """Rows of numbers, parted by spaces, commas, semicolons or tabs; a header is left out."""
    lines = (line.split("#")[0].translate(_SEPARATORS).split() for line in text.splitlines())
    rows = [line for line in lines if line]
    header = len(rows) > LANDMARKS and not any(char.isdigit() for char in rows[0][0])
    return [[float(field) for field in fields] for fields in rows[header:]]


def _from_numbers(
    values: NDArray[np.float64], points: NDArray[np.float32], triangles: Int32
) -> Int32:
    if values.size == LANDMARKS:
        return _vertices(values.reshape(-1))
    if values.shape == (LANDMARKS, 3):
        return _nearest(values, points, triangles)
    if values.ndim == 2 and len(values) == LANDMARKS and values.shape[1] % 2 == 0:
        best = values[:, 1::2].argmax(axis=1)
        return _vertices(values[:, ::2][np.arange(LANDMARKS), best])
    raise ModelError(f"holds values of shape {values.shape}, not 68 landmarks", _HINT)


def _vertices(numbers: NDArray[np.float64]) -> Int32:
    vertices = numbers.astype(np.int32)
    if (vertices != numbers).any():
        raise ModelError("names vertices by numbers that are not whole", _HINT)
    return vertices


def _nearest(places: NDArray[np.float64], points: NDArray[np.float32], triangles: Int32) -> Int32:
    """The nearest vertex of a triangle to each place, which may not be far from the surface."""
    used = np.unique(triangles)
    distance, nearest = cKDTree(points[used]).query(places)
    size = float(np.ptp(points[used], axis=0).max())
    if (worst := distance.max()) > NEAR * size:
        message = f"landmark {distance.argmax()} lies {worst:.4g} from a head of size {size:.4g}"
        raise ModelError(message, "give points in the units and axes of the model's file")
    return np.asarray(used[nearest], np.int32)


def _from_embedding(path: Path, triangles: Int32) -> Int32:
    """The heaviest corner of each landmark's triangle; 51 landmarks are those without the jaw."""
    table = pickles.read(path, skip=_npy_header(path))
    for face, weights in (("full_lmk_faces_idx", "full_lmk_bary_coords"),
                          ("lmk_face_idx", "lmk_b_coords")):  # fmt: skip
        if isinstance(table, dict) and face in table and weights in table:
            faces = _array(table, face).reshape(-1).astype(np.int64)
            shares = _array(table, weights)
            if len(faces) not in (51, LANDMARKS) or shares.size != 3 * len(faces):
                raise ModelError(f"{len(faces)} landmarks, not 51 or 68, or not three weights each")
            corner = shares.reshape(-1, 3).argmax(axis=1)
            if not 0 <= faces.min() <= faces.max() < len(triangles):
                raise ModelError("names triangles that do not exist")
            vertices = _unknown()
            vertices[LANDMARKS - len(faces) :] = triangles[faces, corner]
            return vertices
    raise ModelError("no landmark embedding: neither full_lmk_faces_idx nor lmk_face_idx")


def _array(table: dict[str, Any], key: str) -> NDArray[Any]:
    value = table[key]
    if isinstance(value, pickles.Tensor):
        raise ModelError(f"{key} is a torch tensor", "save it as an array: tensor.numpy()")
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or not array.size:
        raise ModelError(f"{key} does not hold numbers")
    return array


def _npy_header(path: Path) -> int:
    """Where the pickle inside an .npy begins."""
    with path.open("rb") as file:
        if file.read(len(NPY)) != NPY:
            return 0
        wide = file.read(2)[0] > 1
        length = int.from_bytes(file.read(4 if wide else 2), "little")
        return file.tell() + length


def _unknown() -> Int32:
    return np.full(LANDMARKS, UNKNOWN_LANDMARK, np.int32)
