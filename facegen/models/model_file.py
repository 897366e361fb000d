"""The Basel (Statismo) HDF5 layout, and the attributes facegen adds to it: our own file format."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from facegen.errors import ModelError, located
from facegen.files import Array, written_whole
from facegen.models import extras, hdf5
from facegen.models.extras import Extras
from facegen.models.morphable_model import LANDMARKS, SEGMENTS, LinearModel, MorphableModel
from facegen.scene.parameters import STANDARD_DEVIATION, WEIGHT, CoefficientUnit

SIGNATURE = hdf5.SIGNATURE
_BLOCK = 2048
MAX_ATTRIBUTE = 60_000
_HINT = "morphable_models/README.md describes the layout"


def load(path: Path) -> MorphableModel:
    """Read a model; ModelError names the file and the data set that is wrong."""
    # Values that overflow are refused where they are checked.
    source, named = extras.inside(path)
    with located(path), np.errstate(all="ignore"):
        sha256 = checked_sha256(path)
        with hdf5.opened(source, ModelError) as file:
            model = _read(file, source.stem, sha256)
            return _with_names(file, model) if named else _with_units(file, model)


def _with_names(file: h5py.File, model: MorphableModel) -> MorphableModel:
    """The model with its named expressions in place of the others."""
    expression, names = extras.read_blendshapes(file, model.vertices)
    return replace(
        model,
        name=model.name + extras.SUFFIX,
        expression=expression,
        expression_unit=WEIGHT,
        expression_names=names,
    )


def _with_units(file: h5py.File, model: MorphableModel) -> MorphableModel:
    """The model with its file's named expressions as units, where it has some."""
    if not hdf5.has(file, extras.BLENDSHAPES) or not model.expression.components:
        return model
    moves, names = extras.read_blendshapes(file, model.vertices)
    return replace(model, face_units=extras.units_of(names, moves.basis, model.expression))


def checked_sha256(path: Path) -> str:
    """SHA-256 of an HDF5 file, and of what is meant inside of it."""
    source, named = extras.inside(path)
    try:
        with source.open("rb") as file:
            if file.read(len(hdf5.SIGNATURE)) != hdf5.SIGNATURE:
                raise ModelError("not an HDF5 file", "give a model that `facegen models` lists")
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256")
            if named:
                digest.update(extras.INSIDE.encode())
            return digest.hexdigest()
    except OSError as error:
        raise ModelError(
            error.strerror or str(error), "give a model's name or its .h5 file"
        ) from None


def _read(file: h5py.File, name: str, sha256: str) -> MorphableModel:
    group = _group(file, "facegen")
    unit = expression_unit(group)
    shape = _linear(file, "shape", 1.0)
    return MorphableModel(
        name=_text(group, "name", name),
        shape=shape,
        expression=_linear(file, "expression", unit.scale),
        reflectance=_linear(file, "color", 1.0),
        triangles=_triangles(file),
        landmarks=_array(file, "facegen/landmarks", (LANDMARKS,)).astype(np.int32),
        segmentation=_array(file, "facegen/parts", (len(shape.mean),)).astype(np.uint8),
        sha256=sha256,
        licence=_text(group, "licence", ""),
        expression_unit=unit,
        **vars(extras.read(file)),
    )


def expression_unit(group: h5py.Group) -> CoefficientUnit:
    """The unit of an expression coefficient that /facegen states."""
    kind = _text(group, "expression_kind", STANDARD_DEVIATION.kind)
    for unit in (STANDARD_DEVIATION, WEIGHT):
        if kind == unit.kind:
            return CoefficientUnit(unit.kind, _positive(group, "expression_unit"))
    raise ModelError(f"/facegen: expression_kind = {kind!r} is not a unit of expression", _HINT)


def _linear(file: h5py.File, part: str, unit: float) -> LinearModel:
    """The part's mean, and its basis scaled by its standard deviations times `unit`."""
    mean = _array(file, f"{part}/model/mean", (None,))
    variance = np.atleast_1d(_array(file, f"{part}/model/pcaVariance", (None,)))
    basis = _array(file, f"{part}/model/pcaBasis", (len(mean), len(variance)))
    if len(mean) % 3 or not (variance >= 0).all():
        raise ModelError(f"/{part}/model: not three values a vertex, or a variance below zero")
    component_scale = (np.sqrt(variance) * unit).astype(np.float32)
    rows = np.empty(basis.shape[::-1], np.float32)
    for start in range(0, len(basis), _BLOCK):  # A block fits the cache, turned or not.
        block = slice(start, start + _BLOCK)
        np.multiply(basis[block].T, component_scale[:, None], out=rows[:, block])
    return LinearModel(mean.astype(np.float32).reshape(-1, 3), rows, component_scale)


def _triangles(file: h5py.File) -> Int32[Array, "F 3"]:
    cells = _array(file, "shape/representer/cells", (3, None))
    return np.ascontiguousarray(cells.T.astype(np.int32))


def _array(file: h5py.File, key: str, shape: tuple[int | None, ...]) -> Array:
    """A data set of the file itself: links out of it are not followed."""
    if not hdf5.has(file, key):
        raise ModelError(f"/{key} is missing", _HINT)
    array = hdf5.numbers(file, key)
    if len(array.shape) != len(shape) or any(
        want not in (None, have) for want, have in zip(shape, array.shape, strict=True)
    ):
        raise ModelError(f"/{key} is {array.shape}, not {shape}")
    return array


def _group(file: h5py.File, key: str) -> h5py.Group:
    if not hdf5.has(file, key):
        raise ModelError(
            f"/{key} is missing: a Basel file without facegen's attributes",
            f"`facegen models import FILE` adds them; {_HINT}",
        )
    return file[key]


def _positive(group: h5py.Group, key: str) -> float:
    value = hdf5.attribute(group, key)
    if not isinstance(value, float) or not 0 < value < np.inf:
        raise ModelError(f"/facegen: {key} = {value!r} is not a positive number")
    return value


def _text(group: h5py.Group, key: str, default: str) -> str:
    value = hdf5.attribute(group, key)
    return default if value is None else str(value)


@dataclass(frozen=True, eq=False)
class Modes:
    """Values per vertex that depend linearly on coefficients, as the file holds them.

    basis: one mode a column; basis[:, i] * sd[i] is what a coefficient of one adds to the mean.
    """

    mean: Float32[Array, "V 3"]
    basis: Float32[Array, "3*V k"]
    sd: Float32[Array, "k"]

    @property
    def count(self) -> int:
        """How many modes there are."""
        return len(self.sd)

    def scaled(self, factor: float) -> "Modes":
        """The same modes in another unit of length or colour; the basis is not copied."""
        return Modes(self.mean * np.float32(factor), self.basis, self.sd * np.float32(factor))


@dataclass(frozen=True, eq=False)
class ModelContent:
    """What a model's file holds; texts: attributes of /facegen by name."""

    shape: Modes
    expression: Modes
    reflectance: Modes
    triangles: Int32[Array, "F 3"]
    landmarks: Int32[Array, "68"]
    segmentation: UInt8[Array, "V"]
    expression_unit: CoefficientUnit
    texts: Mapping[str, str]
    extras: Extras = field(default_factory=Extras)


def content_of(model: MorphableModel) -> ModelContent:
    """A model as its file holds it."""
    return ModelContent(
        _modes(model.shape, 1.0),
        _modes(model.expression, model.expression_unit.scale),
        _modes(model.reflectance, 1.0),
        model.triangles,
        model.landmarks,
        model.segmentation,
        model.expression_unit,
        {"name": model.name, "licence": model.licence},
        extras_of(model),
    )


def extras_of(model: MorphableModel) -> Extras:
    """What a model's file holds beyond the Basel layout."""
    return Extras(
        model.expression_names, model.points, model.tapes, model.attributes, model.face_units
    )


def write(path: Path, content: ModelContent) -> None:
    """Write a model; the file appears whole, or not at all."""
    parts = {
        "shape": content.shape,
        "expression": content.expression,
        "color": content.reflectance,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary, h5py.File(temporary, "w", libver="earliest") as file:
            for name, part in parts.items():
                variance = np.square(part.sd, dtype=np.float64)
                _put_linear(file, name, part.mean, part.basis, variance)
            _put_mesh(file, content.shape.mean, content.triangles)
            _put_landmarks(file, content.shape.mean + content.expression.mean, content.landmarks)
            _put_facegen(file, content)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}", "free some space") from None


def is_model(path: Path) -> bool:
    """Whether a file is a model with facegen's attributes, not a foreign one."""
    path = extras.inside(path)[0]
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with located(path), hdf5.opened(path, ModelError) as file:
        return hdf5.has(file, "facegen/landmarks")


def texts_of(path: Path) -> dict[str, str]:
    """What a file says of its source, unit and making."""
    names = ("source", "unit", "notes", "description")
    with located(path), hdf5.opened(extras.inside(path)[0], ModelError) as file:
        group = _group(file, "facegen")
        return {name: text for name in names if (text := _text(group, name, ""))}


def _modes(linear: LinearModel, unit: float) -> Modes:
    scale = np.where(linear.component_scale > 0, linear.component_scale, 1).astype(np.float32)
    basis = (linear.basis / scale[:, None]).T
    return Modes(linear.mean, basis, linear.component_scale / np.float32(unit))


def _put_linear(file: h5py.File, name: str, mean: Array, basis: Array, variance: Array) -> None:
    _put(file, f"{name}/model/mean", mean.reshape(-1).astype(np.float32))
    _put(file, f"{name}/model/pcaBasis", np.ascontiguousarray(basis, np.float32))
    _put(file, f"{name}/model/pcaVariance", variance)
    _put(file, f"{name}/model/noiseVariance", np.zeros(1, np.float32))


def _put_mesh(file: h5py.File, points: Array, triangles: Array) -> None:
    _put(file, "shape/representer/points", np.ascontiguousarray(points.T, np.float32))
    _put(file, "shape/representer/cells", np.ascontiguousarray(triangles.T, np.int32))
    for name in ("expression", "color"):
        file[f"{name}/representer"] = file["shape/representer"]
    for name, number in (("major", 0), ("minor", 9)):
        _put(file, f"version/{name}Version", np.int32(number))


def _put_landmarks(file: h5py.File, points: Array, landmarks: Array) -> None:
    rows = [
        {"id": f"ibug.{i}", "coordinates": [round(float(x), 4) for x in points[vertex]]}
        for i, vertex in enumerate(landmarks)
    ]
    _put(file, "metadata/landmarks/json", json.dumps(rows))


def _put_facegen(file: h5py.File, content: ModelContent) -> None:
    _put(file, "facegen/landmarks", content.landmarks.astype(np.int32))
    _put(file, "facegen/parts", content.segmentation.astype(np.uint8))
    attributes = file["facegen"].attrs
    attributes["expression_unit"] = np.float64(content.expression_unit.scale)
    attributes["part_names"] = json.dumps(SEGMENTS)
    # In this order, which decides the file's bytes, and so its hash.
    texts = {key: content.texts[key] for key in ("name", "licence")}
    texts["expression_kind"] = content.expression_unit.kind
    for key, text in (texts | dict(content.texts)).items():
        attributes[key] = text[:MAX_ATTRIBUTE]
    extras.write(file, content.extras)


def _put(file: h5py.File, name: str, data: object) -> None:
    file.create_dataset(name, data=data, track_times=False)
