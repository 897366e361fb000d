"""Writes the model as a Statismo (Basel Face Model 2017) HDF5 file, the same bytes every time."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import h5py
import numpy as np

from .attributes import Attributes
from .places import Places
from .statistics import Linear

PART_NAMES = ("background", "skin", "lips", "brows", "eyes", "teeth", "mouth", "ears", "neck",
              "scalp")  # fmt: skip
EXPRESSION_UNIT = np.sqrt(3) / 12
SHAPE_ERROR_MM, COLOUR_ERROR = 0.02, 0.2 / 255
UNIT_STEP_MM = 2.0**-7
COARSEST_STEP = 2.0**-12  # Keeps the columns orthonormal to a few parts in a thousand.
CHUNK_COLUMNS = 8
PACKED = {"compression": 6, "shuffle": True}


@dataclass(frozen=True)
class Model:
    """All that goes into the file.

    units: displacements (V, 3) of the named face units; uv: (V, 2), around the head; texture: (M,
    2), MakeHuman's, of which texture_cells (F, 3) are the triangles'.
    """

    cells: np.ndarray
    reference: np.ndarray
    shape: Linear
    expression: Linear
    color: Linear
    units: Mapping[str, np.ndarray]
    landmarks: np.ndarray
    places: Places
    attributes: Attributes
    parts: np.ndarray
    uv: np.ndarray
    texture: np.ndarray
    texture_cells: np.ndarray


def write_model(path: Path, model: Model, texts: dict[str, str]) -> None:
    """Write the model beside `path` and move it there in one step."""
    draft = path.with_suffix(".tmp")
    with h5py.File(draft, "w", libver="earliest", track_order=False) as file:
        _linear(file, "shape", model.shape, model, SHAPE_ERROR_MM)
        _linear(file, "expression", model.expression, model, SHAPE_ERROR_MM)
        _linear(file, "color", model.color, model, COLOUR_ERROR)
        _put(file, "metadata/landmarks/json", _landmark_json(model))
        _put(file, "version/majorVersion", np.int32(0))
        _put(file, "version/minorVersion", np.int32(9))
        _facegen(file, model, texts)
    os.replace(draft, path)


def _linear(file: h5py.File, name: str, linear: Linear, model: Model, error: float) -> None:
    """Write one linear model and its representer; the mesh itself is stored only once."""
    _put(file, f"{name}/model/mean", linear.mean.astype(np.float32))
    _put(file, f"{name}/model/pcaVariance", linear.variance.astype(np.float32))
    _put(file, f"{name}/model/noiseVariance", np.zeros(1, np.float32))
    basis = quantised(linear.basis, linear.variance, error)
    chunks = (len(basis), min(CHUNK_COLUMNS, basis.shape[1]))
    _put(file, f"{name}/model/pcaBasis", basis, chunks=chunks, shuffle=True, compression=6)
    if name == "shape":
        _put(file, "shape/representer/points", model.reference.T.astype(np.float32))
        cells = np.ascontiguousarray(model.cells.T, dtype=np.int32)
        _put(file, "shape/representer/cells", cells, compression=6, shuffle=True)
    else:
        file[f"{name}/representer"] = file["shape/representer"]


def quantised(basis: np.ndarray, variance: np.ndarray, error: float) -> np.ndarray:
    """Round each column to a power of two so that three deviations of all err below `error`."""
    share = error / (3 * np.sqrt(variance) * np.sqrt(basis.shape[1]) / np.sqrt(3))
    step = 2.0 ** np.floor(np.log2(share.clip(None, COARSEST_STEP)))
    return (np.round(basis / step) * step).astype(np.float32)


def _put(file: h5py.File, name: str, data: object, **options: object) -> None:
    """Create one dataset without time stamps."""
    file.create_dataset(name, data=data, track_times=False, **options)


def _landmark_json(model: Model) -> str:
    """Return the landmarks of the mean face as Statismo's JSON text."""
    points = model.shape.mean.reshape(-1, 3)[model.landmarks]
    rows = [{"id": f"ibug.{i}", "coordinates": [round(float(x), 4) for x in p]}
            for i, p in enumerate(points)]  # fmt: skip
    return json.dumps(rows)


def _facegen(file: h5py.File, model: Model, texts: dict[str, str]) -> None:
    """Write the group that facegen adds to the format."""
    group = file.create_group("facegen")
    _put(file, "facegen/landmarks", model.landmarks.astype(np.int32))
    _put(file, "facegen/parts", model.parts.astype(np.uint8))
    _put(file, "facegen/uv", model.uv.astype(np.float32))
    _put(file, "facegen/texture/uv", model.texture.astype(np.float32), **PACKED)
    _put(file, "facegen/texture/triangles", model.texture_cells.astype(np.int32), **PACKED)
    _units(file, model.units)
    _places(file, model.places)
    _attributes(file, model.attributes)
    group.attrs["expression_unit"] = np.float64(EXPRESSION_UNIT)
    group.attrs["part_names"] = json.dumps(PART_NAMES)
    for key, text in texts.items():
        group.attrs[key] = text


def _units(file: h5py.File, units: Mapping[str, np.ndarray]) -> None:
    """Write the named face units: displacements (3V, n) of weights from 0 to 1."""
    basis = np.array([field.ravel() for field in units.values()], np.float32).T
    basis = (np.round(basis / UNIT_STEP_MM) * UNIT_STEP_MM).astype(np.float32)
    chunks = (len(basis), CHUNK_COLUMNS)
    _put(file, "facegen/blendshapes", basis, chunks=chunks, shuffle=True, compression=6)
    file["facegen/blendshapes"].attrs["names"] = json.dumps(list(units))


def _places(file: h5py.File, places: Places) -> None:
    """Write the anthropometric points, and the vertices along each tape."""
    _put(file, "facegen/points", np.array(list(places.points.values()), np.int32))
    file["facegen/points"].attrs["names"] = json.dumps(list(places.points))
    for name, vertices in places.tapes.items():
        _put(file, f"facegen/tapes/{name}", vertices.astype(np.int32))


def _attributes(file: h5py.File, attributes: Attributes) -> None:
    """Write the attributes: their mean and covariance, and that with the coefficients."""
    for name in ("mean", "covariance", "shape", "reflectance"):
        _put(file, f"facegen/attributes/{name}", getattr(attributes, name).astype(np.float64))
    rows = [asdict(attribute) for attribute in attributes.described]
    file["facegen/attributes"].attrs["described"] = json.dumps(rows)
