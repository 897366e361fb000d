"""Writes a model as a Basel (Statismo) HDF5 file of version 0.9, with facegen's own group."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from facegen.errors import ModelError
from facegen.model_formats.complete import Filled
from facegen.model_formats.foreign import Modes
from facegen.morphable_model import PARTS, LinearModel, MorphableModel

CHUNK_BYTES = 4 << 20


def write(path: Path, filled: Filled, source: str) -> None:
    """Write an imported model; the file appears whole, or not at all."""
    model = filled.model
    texts = {
        "name": model.name,
        "licence": model.licence,
        "expression_kind": model.expression_kind,
        "source": source,
        "unit": model.unit,
        "notes": "\n".join(model.notes),
    }
    parts = {"shape": model.shape, "expression": filled.expression, "color": filled.reflectance}
    with _whole(path) as file:
        for name, part in parts.items():
            _linear(file, name, part.mean, part.basis, np.square(part.sd, dtype=np.float64))
        _mesh(file, model.shape.mean, model.triangles)
        _landmarks(file, model.mean_face, filled.landmarks)
        _facegen(file, filled.landmarks, filled.parts, model.expression_unit, texts)


def export(model: MorphableModel, unit: float, path: Path, kind: str) -> None:
    """Write a model of ours, whose expression unit is `unit` deviations, for other projects."""
    with _whole(path) as file:
        for name, linear, one in (
            ("shape", model.shape, 1.0),
            ("expression", model.expression, unit),
            ("color", model.reflectance, 1.0),
        ):
            part = modes_of(linear, one)
            _linear(file, name, part.mean, part.basis, np.square(part.sd, dtype=np.float64))
        _mesh(file, model.shape.mean, model.triangles)
        _landmarks(file, model.mean_face, model.landmarks)
        texts = {"name": model.name, "licence": model.licence, "expression_kind": kind}
        _facegen(file, model.landmarks, model.parts, unit, texts)


def modes_of(linear: LinearModel, unit: float) -> Modes:
    """A linear model of ours as columns and deviations."""
    sigma = np.where(linear.sigma > 0, linear.sigma, 1).astype(np.float32)
    return Modes(linear.mean, (linear.basis / sigma[:, None]).T, linear.sigma / np.float32(unit))


@contextmanager
def _whole(path: Path) -> Iterator[h5py.File]:
    """A file beside `path` that takes its place once it is closed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".part")
        os.close(handle)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None
    partial = Path(name)
    try:
        with h5py.File(partial, "w", libver="earliest") as file:
            yield file
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}", "free some space") from None
    finally:
        partial.unlink(missing_ok=True)


def _linear(
    file: h5py.File, name: str, mean: np.ndarray, basis: np.ndarray, variance: np.ndarray
) -> None:
    _put(file, f"{name}/model/mean", mean.reshape(-1).astype(np.float32))
    _put(file, f"{name}/model/pcaBasis", np.ascontiguousarray(basis, np.float32))
    _put(file, f"{name}/model/pcaVariance", variance)
    _put(file, f"{name}/model/noiseVariance", np.zeros(1, np.float32))


def _mesh(file: h5py.File, points: np.ndarray, triangles: np.ndarray) -> None:
    _put(file, "shape/representer/points", np.ascontiguousarray(points.T, np.float32))
    _put(file, "shape/representer/cells", np.ascontiguousarray(triangles.T, np.int32))
    for name in ("expression", "color"):
        file[f"{name}/representer"] = file["shape/representer"]
    for name, number in (("major", 0), ("minor", 9)):
        _put(file, f"version/{name}Version", np.int32(number))


def _landmarks(file: h5py.File, points: np.ndarray, landmarks: np.ndarray) -> None:
    rows = [
        {"id": f"ibug.{i}", "coordinates": [round(float(x), 4) for x in points[vertex]]}
        for i, vertex in enumerate(landmarks)
    ]
    _put(file, "metadata/landmarks/json", json.dumps(rows))


def _facegen(
    file: h5py.File,
    landmarks: np.ndarray,
    parts: np.ndarray,
    unit: float,
    texts: Mapping[str, str],
) -> None:
    _put(file, "facegen/landmarks", landmarks.astype(np.int32))
    _put(file, "facegen/parts", parts.astype(np.uint8))
    attributes = file["facegen"].attrs
    attributes["expression_unit"] = np.float64(unit)
    attributes["part_names"] = json.dumps(PARTS)
    for key, text in texts.items():
        attributes[key] = text[:60_000]


def _put(file: h5py.File, name: str, data: object) -> None:
    file.create_dataset(name, data=data, track_times=False)
