"""What a model's file may hold beyond the Basel layout: names, points and tapes, attributes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32, Int32

from facegen.errors import ModelError
from facegen.files import Array
from facegen.models import hdf5
from facegen.models.attributes import Attribute, Attributes
from facegen.models.morphable_model import FaceUnits, LinearModel

BLENDSHAPES, POINTS, TAPES, ATTRIBUTES, TEXTURE = (
    f"facegen/{name}" for name in ("blendshapes", "points", "tapes", "attributes", "texture")
)
UNITS = "facegen/units"
UNIT_QUANTUM = 2.0**-10
ARRAYS = ("mean", "covariance", "shape", "reflectance")
MAX_NAMES, MAX_NAME = 2_000, 200
INSIDE = "blendshapes"  # FILE.h5/blendshapes: the same model with its named expressions
SUFFIX = "-arkit"


@dataclass(frozen=True, eq=False)
class Extras:
    """Names of the expressions, anthropometric points and tapes as vertices, attributes, units."""

    expression_names: tuple[str, ...] = ()
    points: Mapping[str, int] = field(default_factory=dict)
    tapes: Mapping[str, Int32[Array, "n"]] = field(default_factory=dict)
    attributes: Attributes | None = None
    face_units: FaceUnits | None = None


def inside(path: Path) -> tuple[Path, bool]:
    """A model's file, and whether its named expressions are meant: FILE.h5/blendshapes."""
    named = path.name == INSIDE and path.parent.suffix == ".h5"
    return (path.parent, True) if named else (path, False)


def read(file: h5py.File) -> Extras:
    """What a file holds of it; ModelError says what is wrong with that."""
    names = _names(file["facegen"], "expression_names")
    return Extras(names, _points(file), _tapes(file), _attributes(file), _units(file))


def read_blendshapes(file: h5py.File, vertices: int) -> tuple[LinearModel, tuple[str, ...]]:
    """The named expressions, weights from 0 to 1 of displacements in mm."""
    if not hdf5.has(file, BLENDSHAPES):
        raise ModelError("holds no named expressions", "leave /blendshapes out")
    basis = hdf5.numbers(file, BLENDSHAPES)
    names = _names(file[BLENDSHAPES], "names")
    if basis.shape != (3 * vertices, len(names)):
        raise ModelError(f"/{BLENDSHAPES} is {basis.shape}, not ({3 * vertices}, {len(names)})")
    rows = np.ascontiguousarray(basis.T, np.float32)
    if not np.isfinite(rows).all():
        raise ModelError(f"/{BLENDSHAPES} holds values that are not finite")
    return LinearModel(np.zeros((vertices, 3), np.float32), rows, lengths_of(rows)), names


def read_targets(file: h5py.File, vertices: int) -> dict[str, Array]:
    """The named expressions' displacements (V, 3) in mm; empty where there are none."""
    if not hdf5.has(file, BLENDSHAPES):
        return {}
    linear, names = read_blendshapes(file, vertices)
    return dict(zip(names, linear.basis.reshape(len(names), vertices, 3), strict=True))


def read_texture(file: h5py.File) -> tuple[Array, Array] | None:
    """Texture coordinates (M, 2) and the triangles (F, 3) of them, where there are any."""
    if not hdf5.has(file, TEXTURE):
        return None
    uv, triangles = (hdf5.numbers(file, f"{TEXTURE}/{name}") for name in ("uv", "triangles"))
    shaped = uv.ndim == triangles.ndim == 2 and (uv.shape[1], triangles.shape[1]) == (2, 3)
    if not shaped or triangles.dtype.kind not in "iu" or not (np.abs(uv) < 1e30).all():
        raise ModelError(f"/{TEXTURE} holds no texture coordinates")
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(uv):
        raise ModelError(f"/{TEXTURE} names coordinates that do not exist: there are {len(uv)}")
    return uv.astype(np.float32), triangles.astype(np.int32)


def lengths_of(rows: Array) -> Array:
    """The length of each row, one where it is zero."""
    lengths = np.linalg.norm(rows, axis=1)
    return np.asarray(np.where(lengths > 0, lengths, 1), np.float32)


def write(file: h5py.File, extras: Extras) -> None:
    """Write it into a file that has the group /facegen."""
    if extras.expression_names:
        file["facegen"].attrs["expression_names"] = json.dumps(extras.expression_names)
    if extras.points:
        _put(file, POINTS, np.array(list(extras.points.values()), np.int32))
        file[POINTS].attrs["names"] = json.dumps(list(extras.points))
    for name, vertices in extras.tapes.items():
        _put(file, f"{TAPES}/{name}", np.asarray(vertices, np.int32))
    if extras.attributes:
        for name in ARRAYS:
            _put(file, f"{ATTRIBUTES}/{name}", getattr(extras.attributes, name))
        rows = [asdict(attribute) for attribute in extras.attributes.described]
        file[ATTRIBUTES].attrs["described"] = json.dumps(rows)
    if extras.face_units:
        units = extras.face_units
        _put(file, UNITS, np.concatenate([units.coefficients, units.neutral[None]]))
        file[UNITS].attrs["names"] = json.dumps(units.names)


def units_of(
    names: Sequence[str], moves: Float32[Array, "U 3*V"], expression: LinearModel
) -> FaceUnits:
    """Movements of the vertices in coefficients of expression, by least squares.

    Rounded, so that machines whose linear algebra differs in the last digits agree.
    """
    basis = expression.basis.astype(np.float64)
    shift = -expression.mean.reshape(1, -1)
    sides = np.concatenate([moves, shift]).astype(np.float64) @ basis.T
    gram = basis @ basis.T
    found = np.linalg.lstsq(gram, sides.T, rcond=None)[0].T
    found = np.round(found / UNIT_QUANTUM) * UNIT_QUANTUM
    return FaceUnits(tuple(names), found[:-1], found[-1])


def _units(file: h5py.File) -> FaceUnits | None:
    if not hdf5.has(file, UNITS):
        return None
    names = _names(file[UNITS], "names")
    values = hdf5.numbers(file, UNITS).astype(np.float64)
    if values.ndim != 2 or len(values) != len(names) + 1 or not np.isfinite(values).all():
        raise ModelError(f"/{UNITS} does not hold finite coefficients of {len(names)} units")
    return FaceUnits(names, values[:-1], values[-1])


def _points(file: h5py.File) -> dict[str, int]:
    if not hdf5.has(file, POINTS):
        return {}
    vertices, names = _vertices(file, POINTS), _names(file[POINTS], "names")
    if vertices.shape != (len(names),):
        raise ModelError(f"/{POINTS} is {vertices.shape}, not ({len(names)},)")
    return dict(zip(names, vertices.astype(int).tolist(), strict=True))


def _tapes(file: h5py.File) -> dict[str, Array]:
    if not hdf5.has(file, TAPES):
        return {}
    group = file[TAPES]
    if not isinstance(group, h5py.Group) or len(group) > MAX_NAMES:
        raise ModelError(f"/{TAPES} is no group of at most {MAX_NAMES:,} tapes")
    return {name: _vertices(file, f"{TAPES}/{name}") for name in sorted(group)}


def _vertices(file: h5py.File, key: str) -> Array:
    """Vertices (n,) that a data set of whole numbers names."""
    vertices = hdf5.numbers(file, key)
    if vertices.dtype.kind not in "iu" or vertices.ndim != 1:
        raise ModelError(f"/{key} is {vertices.dtype} {vertices.shape}, not one row of vertices")
    if vertices.size and not 0 <= int(vertices.min()) <= int(vertices.max()) < 2**31:
        raise ModelError(f"/{key} names vertices that do not exist")
    return vertices.astype(np.int32)


def _attributes(file: h5py.File) -> Attributes | None:
    if not hdf5.has(file, ATTRIBUTES):
        return None
    arrays = {name: hdf5.numbers(file, f"{ATTRIBUTES}/{name}") for name in ARRAYS}
    try:
        rows = _json(file[ATTRIBUTES], "described")
        described = tuple(
            Attribute(str(r["name"]), str(r["unit"]), float(r["low"]), float(r["high"]))
            for r in rows
        )
    except (TypeError, KeyError, ValueError):
        raise ModelError(f"/{ATTRIBUTES}: `described` does not describe them") from None
    if any(array.ndim not in (1, 2) for array in arrays.values()):
        raise ModelError(f"/{ATTRIBUTES} holds tables of no use")
    return Attributes(described, **{k: a.astype(np.float64) for k, a in arrays.items()})


def _names(node: h5py.Group, key: str) -> tuple[str, ...]:
    """A JSON list of different names that an attribute holds; none where there is no such."""
    names = _json(node, key)
    sound = isinstance(names, list) and len(names) <= MAX_NAMES
    if not sound or not all(isinstance(n, str) and 0 < len(n) <= MAX_NAME for n in names):
        raise ModelError(f"the attribute {key} is not a list of names")
    if len(set(names)) < len(names):
        raise ModelError(f"the attribute {key} says a name twice")
    return tuple(names)


def _json(node: h5py.Group, key: str) -> Any:
    try:
        return json.loads(str(hdf5.attribute(node, key) or "[]"))
    except (ValueError, RecursionError):
        raise ModelError(f"the attribute {key} is not JSON") from None


def _put(file: h5py.File, name: str, data: object) -> None:
    file.create_dataset(name, data=data, track_times=False)
