"""The Basel (Statismo) HDF5 layout, and the attributes facegen adds to it: our own file format."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError, located
from facegen.model_formats import hdf5
from facegen.morphable_model import LANDMARKS, LinearModel, MorphableModel
from facegen.parameters import DEVIATION

_BLOCK = 2048
MAX_VALUES = hdf5.MAX_VALUES
_MEND = "morphable_models/README.md describes the layout"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def load(path: Path) -> MorphableModel:
    """Read a model; ModelError names the file and the data set that is wrong."""
    # Values that overflow are refused where they are checked.
    with located(path), np.errstate(all="ignore"):
        sha256 = digest(path)
        try:
            with h5py.File(path, "r") as file:
                return _read(file, path.stem, sha256)
        except (OSError, RuntimeError, KeyError) as error:
            raise ModelError(f"damaged HDF5 file: {error}") from None


def digest(path: Path) -> str:
    """SHA-256 of an HDF5 file."""
    try:
        with path.open("rb") as file:
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                raise ModelError("not an HDF5 file", "give a model that `facegen models` lists")
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            error.strerror or str(error), "give a model's name or its .h5 file"
        ) from None


def _read(file: h5py.File, name: str, sha256: str) -> MorphableModel:
    ours = _group(file, "facegen")
    unit = _number(ours.attrs, "expression_unit")
    shape = _linear(file, "shape", 1.0)
    return MorphableModel(
        name=_text(ours.attrs, "name", name),
        shape=shape,
        expression=_linear(file, "expression", unit),
        reflectance=_linear(file, "color", 1.0),
        triangles=_triangles(file),
        landmarks=_array(file, "facegen/landmarks", (LANDMARKS,)).astype(np.int32),
        parts=_array(file, "facegen/parts", (len(shape.mean),)).astype(np.uint8),
        sha256=sha256,
        licence=_text(ours.attrs, "licence", ""),
        expression_unit=_text(ours.attrs, "expression_kind", DEVIATION),
        expression_size=unit,
    )


def _linear(file: h5py.File, part: str, unit: float) -> LinearModel:
    """The part's mean, and its basis scaled by its standard deviations times `unit`."""
    mean = _array(file, f"{part}/model/mean", (None,))
    variance = np.atleast_1d(_array(file, f"{part}/model/pcaVariance", (None,)))
    basis = _array(file, f"{part}/model/pcaBasis", (len(mean), len(variance)))
    if len(mean) % 3 or not (variance >= 0).all():
        raise ModelError(f"/{part}/model: not three values a vertex, or a variance below zero")
    sigma = (np.sqrt(variance) * unit).astype(np.float32)
    rows = np.empty(basis.shape[::-1], np.float32)
    for start in range(0, len(basis), _BLOCK):  # A block fits the cache, turned or not.
        block = slice(start, start + _BLOCK)
        np.multiply(basis[block].T, sigma[:, None], out=rows[:, block])
    return LinearModel(mean.astype(np.float32).reshape(-1, 3), rows, sigma)


def _triangles(file: h5py.File) -> NDArray[np.int32]:
    cells = _array(file, "shape/representer/cells", (3, None))
    return np.ascontiguousarray(cells.T.astype(np.int32))


def _array(file: h5py.File, key: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """A data set of the file itself: links out of it are not followed."""
    if not hdf5.has(file, key):
        raise ModelError(f"/{key} is missing", _MEND)
    data = file[key]
    fits = isinstance(data, h5py.Dataset) and data.dtype.kind in "fiu"
    if not fits or data.external or data.is_virtual or data.size > MAX_VALUES:
        raise ModelError(f"/{key} is not an array of numbers in the file")
    if len(data.shape) != len(shape) or any(
        want not in (None, have) for want, have in zip(shape, data.shape, strict=True)
    ):
        raise ModelError(f"/{key} is {data.shape}, not {shape}")
    return np.asarray(data[()])


def _group(file: h5py.File, key: str) -> h5py.Group:
    if not hdf5.has(file, key):
        raise ModelError(
            f"/{key} is missing: a Basel file without facegen's attributes",
            f"`facegen models import FILE` adds them; {_MEND}",
        )
    return file[key]


def _number(attributes: Mapping[str, Any], key: str) -> float:
    value = attributes.get(key)
    if not isinstance(value, int | float | np.number) or not np.isfinite(value) or value <= 0:
        raise ModelError(f"/facegen: {key} = {value!r} is not a positive number")
    return float(value)


def _text(attributes: Mapping[str, Any], key: str, default: str) -> str:
    value = attributes.get(key, default)
    text = value if isinstance(value, str) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")
