"""Landmarks and boxes of photographs, as people's tools write them: JSON, CSV, .pts, .npy."""

import csv
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from facegen.errors import FacegenError, UsageError, located
from facegen.files import Array, read_npy, read_text
from facegen.models.morphable_model import LANDMARKS
from facegen.scene.points import parse_pts

Points = Float32[Array, "P 2"]
Faces = tuple[Points, ...]

SIZES = (2 * 2, 2 * LANDMARKS)
FARTHEST = 1e6
MAX_BYTES = 1_000_000_000
HALF_PIXEL = 0.5
_HINT = "give {key: [x0, y0, x1, y1]} or {key: [[u, v] * 68]} as JSON, rows of CSV, or .pts files"


class PhotographPoints:
    """Landmarks (68, 2) or the corners of a box (2, 2) of each face, by the picture's name.

    A name is found by a picture's key, its file's name, or that without suffix; in either writing
    of accents, with either slash, as bytes of UTF-8 or of Latin-1.
    """

    def __init__(self, table: Mapping[str, Faces]) -> None:
        self._faces = {_normal(name): faces for name, faces in table.items()}
        for name, faces in list(self._faces.items()):
            self._faces.setdefault(name.rpartition("/")[2], faces)

    def of(self, key: str) -> Faces:
        """The faces in the picture of this key; FacegenError where there are none."""
        for name in _names(key):
            if _normal(name) in self._faces:
                return self._faces[_normal(name)]
        raise FacegenError("has no landmarks or box", "add it to the file of landmarks")


def read_points(path: Path) -> PhotographPoints:
    """Points of pictures from JSON, CSV, .pts or .npy, or a folder of the last two.

    A picture that is named several times, or has a list of faces, has several faces.
    """
    with located(path):
        table = _folder(path) if path.is_dir() else _file(path)
        if not table:
            raise UsageError("holds no landmarks by key", _HINT)
        return PhotographPoints(table)


def _folder(folder: Path) -> dict[str, Faces]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".pts", ".npy"))
    table: dict[str, Faces] = {}
    for path in paths:
        with located(path.name):
            table |= {path.relative_to(folder).with_suffix("").as_posix(): _one(path)}
    return table


def _file(path: Path) -> dict[str, Faces]:
    kind = path.suffix.lower()
    if kind in (".pts", ".npy"):
        return {path.stem: _one(path)}
    try:
        text = read_text(path, MAX_BYTES)
        if kind == ".csv":
            return _from_csv(text)
        rows = json.loads(text)
    except UsageError:
        raise
    except FacegenError as error:
        raise UsageError(error.message, _HINT) from None
    except (ValueError, RecursionError, csv.Error) as error:
        raise UsageError(f"neither JSON nor CSV: {error}", _HINT) from None
    if not isinstance(rows, dict):
        raise UsageError("holds no landmarks by key", _HINT)
    return {key: faces_of(key, value) for key, value in rows.items()}


def _one(path: Path) -> Faces:
    """The faces of the one picture that a .pts or .npy file is for."""
    try:
        if path.suffix.lower() == ".npy":
            return faces_of(path.stem, read_npy(path, MAX_BYTES).tolist())
        # The mark-up counts pixels from 1, at their centres (MATLAB); (0, 0) is our first corner.
        points = parse_pts(read_text(path, MAX_BYTES))[:, :2] - HALF_PIXEL
        return faces_of(path.stem, points.tolist())
    except UsageError:
        raise
    except FacegenError as error:
        raise UsageError(error.message, error.hint or _HINT) from None


def _from_csv(text: str) -> dict[str, Faces]:
    """Rows of a name and its numbers; a header is left out, and so are empty rows."""
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=mark) if any(row)]
    header = bool(rows) and not _is_number(_plain(rows[0][-1], mark))
    table: dict[str, list[Points]] = defaultdict(list)
    for name, *values in rows[header:]:
        table[name] += faces_of(name, [_plain(value, mark) for value in values if value.strip()])
    return {name: tuple(faces) for name, faces in table.items()}


def _plain(number: str, mark: str) -> str:
    """A number as Python reads it: where semicolons part them, a comma is a decimal point."""
    return number.replace(",", ".") if mark == ";" else number


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def faces_of(key: str, value: Any) -> Faces:
    """The faces that a value means: one of 68 points or a box, or a list of such."""
    flat = _numbers(value)
    if flat is None and isinstance(value, Sequence) and not isinstance(value, str) and value:
        return tuple(_points(key, _numbers(one)) for one in value)
    if flat is not None and np.prod(flat.shape[1:]) in SIZES and len(flat):
        return tuple(_points(key, one) for one in flat)
    return (_points(key, flat),)


def _numbers(value: Any) -> Array | None:
    """An array of numbers of any shape, or None."""
    try:
        return np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None


def _points(key: str, values: Array | None) -> Points:
    size = 0 if values is None else values.size
    if values is None or size not in SIZES or not _is_near(values):
        raise UsageError(f"{key!r} has neither a box nor {LANDMARKS} landmarks", _HINT)
    points = values.reshape(-1, 2)
    if np.ptp(points, axis=0).max() <= 0:
        raise UsageError(f"{key!r} has a box without extent", _HINT)
    return points.astype(np.float32)


def _is_near(values: Array) -> bool:
    return bool((np.abs(values) < FARTHEST).all())


def _names(key: str) -> Iterator[str]:
    """What a picture may be called in a file of landmarks."""
    latin = re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), key)
    for name in dict.fromkeys((key, latin)):
        yield from (name, Path(name).name, Path(name).stem)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/"))
