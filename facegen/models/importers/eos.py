"""The Surrey Face Model (and any other) through eos, written by its getters as JSON or HDF5.

eos keeps its models in a binary of its own; its Python module hands them out, and a few lines
(morphable_models/README.md has them) write: shape_model and color_model, each with mean (3 V),
orthonormal_pca_basis (3 V, k) of length one, eigenvalues (k), which are variances, triangle_list
(F, 3) from 0; blendshapes, a list of {name, deformation (3 V)}, or an array (n, 3 V).
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from facegen.errors import ModelError
from facegen.models import hdf5
from facegen.models.importers.foreign import ForeignModel, deviations, modes, triangles_of
from facegen.models.importers.landmarks import SFM, published
from facegen.models.importers.matlab import head_unit
from facegen.models.model_file import Modes
from facegen.scene.parameters import STANDARD_DEVIATION, WEIGHT

MAX_BYTES = 1_000_000_000
SHAPE = "shape_model/mean"
_PARTS = ("mean", "orthonormal_pca_basis", "eigenvalues", "triangle_list")


def recognises_text(start: bytes) -> bool:
    """Whether a JSON's first bytes are those of an export."""
    return start.lstrip()[:1] == b"{" and b"_model" in start


def read(path: Path) -> ForeignModel:
    """The model in an export."""
    table = _from_hdf5(path) if h5py.is_hdf5(path) else _from_json(path)
    try:
        shape = _pca(table["shape_model"], "shape")
        triangles = triangles_of(np.asarray(table["shape_model"]["triangle_list"]))
        colour = table.get("color_model")
        reflectance = _pca(colour, "reflectance") if colour and np.size(colour["mean"]) else None
        blendshapes = _blendshapes(table.get("blendshapes"), shape)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"not an export of eos: {type(error).__name__} {error}") from None
    factor, unit = head_unit(shape.mean)
    return ForeignModel(
        name=path.stem,
        family="eos",
        shape=shape.scaled(factor),
        triangles=triangles,
        unit=unit,
        scale=factor,
        licence="Surrey Face Model: non-commercial research, see its own licence",
        expression=blendshapes and blendshapes.scaled(factor),
        reflectance=reflectance,
        landmarks=published(len(shape.mean), SFM),
        expression_unit=WEIGHT if blendshapes else STANDARD_DEVIATION,
        notes=("eigenvalues are variances; blendshapes are weights from 0 to 1",),
    )


def _pca(table: dict[str, Any], group: str) -> Modes:
    sd = deviations(group, np.asarray(table["eigenvalues"], np.float64))
    basis = np.asarray(table["orthonormal_pca_basis"], np.float32)
    return modes(group, np.asarray(table["mean"], np.float64), basis.reshape(-1, len(sd)), sd)


def _blendshapes(shapes: Any, shape: Modes) -> Modes | None:
    if shapes is None or not len(shapes):
        return None
    rows = [s["deformation"] if isinstance(s, dict) else s for s in shapes]
    basis = np.array([np.asarray(row, np.float32).reshape(-1) for row in rows]).T
    return modes("expression", np.zeros(3 * len(shape.mean)), basis, np.ones(len(rows)))


def _from_json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    try:
        table = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise ModelError("not valid JSON") from None
    for wrapping in ("morphable_model", "value0"):
        table = table.get(wrapping, table) if isinstance(table, dict) else {}
    return table if isinstance(table, dict) else {}


def _from_hdf5(path: Path) -> dict[str, Any]:
    table: dict[str, Any] = {}
    with hdf5.opened(path, ModelError) as file:
        for model in ("shape_model", "color_model"):
            if hdf5.has(file, f"{model}/mean"):
                keys = [key for key in _PARTS if hdf5.has(file, f"{model}/{key}")]
                table[model] = {key: hdf5.numbers(file, f"{model}/{key}") for key in keys}
        if hdf5.has(file, "blendshapes"):
            table["blendshapes"] = hdf5.numbers(file, "blendshapes")
    return table
