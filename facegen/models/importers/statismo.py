"""Basel Face Models 2017 and 2019 and other Statismo HDF5 files without facegen's attributes.

A shape model alone has /model and /representer at the root; of the Basel models:
/{shape,expression,color}/model: mean (3 V), pcaBasis (3 V, k), pcaVariance (k); /shape/representer:
cells (3, F) 0-based, points (3, V). Millimetres; colour in [0, 1]. In version 0.9 the columns of
pcaBasis have length one, in 0.8 they are already multiplied by their deviations.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.models import hdf5, model_file
from facegen.models.importers.foreign import ForeignModel, deviations, modes, triangles_of
from facegen.models.importers.landmarks import from_named_points
from facegen.models.model_file import Modes

LICENCE = "not stated in the file; the Basel Face Models are for non-commercial research"
OUR_FIELDS = {"landmarks": "landmarks", "parts": "segmentation"}
KEYS = ("model/mean", "model/pcaBasis", "representer/cells")
ROOMS = ("shape/", "")  # where a shape model stands: beside expression and colour, or alone


def recognises(file: h5py.File) -> bool:
    """Whether the file has the layout."""
    return _room(file) is not None


def _room(file: h5py.File) -> str | None:
    """The group of the shape model, if there is one."""
    found = (room for room in ROOMS if all(hdf5.has(file, f"{room}{key}") for key in KEYS))
    return next(found, None)


def read(path: Path) -> ForeignModel:
    """The model in a Statismo file."""
    with hdf5.opened(path, ModelError) as file:
        room = _room(file) or ""
        scaled, version = _scaled(file, room)
        shape = _modes(file, room, scaled)
        cells = triangles_of(hdf5.numbers(file, f"{room}representer/cells"))
        parts = {
            name: _modes(file, f"{name}/", scaled) if hdf5.has(file, f"{name}/model/mean") else None
            for name in ("expression", "color")
        }
        points = _named_points(file)
        attributes = _own_fields(file)
    expression = parts["expression"]
    mean = shape.mean if expression is None else shape.mean + expression.mean
    landmark_vertices, note = from_named_points(points, mean)
    fields = {
        "name": path.stem,
        "licence": LICENCE,
        "landmarks": landmark_vertices,
    } | attributes
    return ForeignModel(
        family="Basel (Statismo HDF5)",
        shape=shape,
        triangles=cells,
        unit="mm in the file",
        expression=expression,
        reflectance=parts["color"],
        notes=(version, note),
        **fields,
    )


def _own_fields(file: h5py.File) -> dict[str, Any]:
    """What facegen adds to the layout, if it did: exact landmarks, parts, unit, name, licence."""
    if not hdf5.has(file, "facegen"):
        return {}
    group = file["facegen"]
    texts = {name: hdf5.attribute(group, name) for name in ("name", "licence")}
    fields: dict[str, Any] = {name: text for name, text in texts.items() if isinstance(text, str)}
    fields["expression_unit"] = model_file.expression_unit(group)
    for field, kind in (("landmarks", np.int32), ("parts", np.uint8)):
        if hdf5.has(file, f"facegen/{field}"):
            fields[OUR_FIELDS[field]] = hdf5.numbers(file, f"facegen/{field}").astype(kind)
    return fields


def _scaled(file: h5py.File, shape: str) -> tuple[bool, str]:
    """Whether the bases are multiplied by their deviations already, and why we think so."""
    for room in dict.fromkeys(("", shape)):
        if hdf5.has(file, f"{room}version/majorVersion"):
            major, minor = (
                int(hdf5.numbers(file, f"{room}version/{which}Version").reshape(-1)[0])
                for which in ("major", "minor")
            )
            old = (major, minor) <= (0, 8)
            columns = "already multiplied by its deviations" if old else "of columns of length one"
            return old, f"version {major}.{minor}: a basis {columns}"
    basis = hdf5.numbers(file, f"{shape}model/pcaBasis")
    long = bool(basis.size and np.median(np.linalg.norm(basis, axis=0)) > 2)
    lengths = "longer than one, so multiplied already" if long else "of length one"
    return long, f"no version: the basis has columns {lengths}"


def _modes(file: h5py.File, place: str, scaled: bool) -> Modes:
    part, room = place.rstrip("/") or "shape", f"{place}model"
    sd = deviations(part, hdf5.numbers(file, f"{room}/pcaVariance"))
    basis = hdf5.numbers(file, f"{room}/pcaBasis")
    return modes(
        part, hdf5.numbers(file, f"{room}/mean"), basis, np.ones_like(sd) if scaled else sd
    )


def _named_points(file: h5py.File) -> dict[str, NDArray[np.float64]]:
    """Landmarks by name: a JSON list of {id, coordinates}, or lines of `name 1 x y z`."""
    room = "metadata/landmarks"
    try:
        if hdf5.has(file, f"{room}/json"):
            entries = json.loads(hdf5.text(file, f"{room}/json"))
            return {str(e["id"]): np.array(e["coordinates"], np.float64) for e in entries}
        if hdf5.has(file, f"{room}/text"):
            lines = [line.split() for line in hdf5.text(file, f"{room}/text").splitlines()]
            return {row[0]: np.array(row[-3:], np.float64) for row in lines if len(row) > 3}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ModelError(f"/{room} is neither a JSON list nor lines of name and x y z") from None
    return {}
