"""Face models as the workers share them: bases in memory-mapped files, one copy for a machine.

A model file is read, checked and scaled once; what came of it is kept in the cache, named by the
file's hash, and every process maps the same pages. What is kept is checked before it is used: a
copy whose bytes are not those that were written is made again.
"""

import json
import shutil
import tempfile
import zlib
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from facegen.errors import located
from facegen.folders import cache_folders
from facegen.models import extras, model_file
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.recipe.recipe import Coefficients
from facegen.scene.parameters import CoefficientUnit

VERSION = 8
RECORD, CHECKSUMS = "model.json", "checksums.json"
BASES = ("geometry", "reflectance")
SMALL = ("shape_mean", "expression_mean", "reflectance_mean", "geometry_scale", "reflectance_scale")
TABLES = ("triangles", "landmarks", "segmentation")
EXTRAS = "extras.h5"


def open_model(path: Path, counts: Coefficients) -> MorphableModel:
    """The model with so many coefficients, its bases shared with every other process.

    Where nothing can be kept, each process has a copy of its own.
    """
    with located(path):
        sha256 = model_file.checked_sha256(path)
    name = f"{sha256}-{counts.shape}-{counts.expression}-{counts.reflectance}-{VERSION}"
    folders = [cache / name for cache in cache_folders()]
    for folder in folders:
        with suppress(OSError, ValueError):
            return attach(folder)
    model = model_file.load(path).truncated(counts.shape, counts.expression, counts.reflectance)
    for folder in folders:
        with suppress(OSError, ValueError):
            keep(model, folder)
            return attach(folder)
    return model


def keep(model: MorphableModel, folder: Path) -> None:
    """Write the model's arrays; the folder appears whole, or not at all. OSError if it cannot."""
    arrays = {
        "geometry": model.geometry.basis,
        "reflectance": model.reflectance.basis,
        "shape_mean": model.shape.mean,
        "expression_mean": model.expression.mean,
        "reflectance_mean": model.reflectance.mean,
        "geometry_scale": model.geometry.component_scale,
        "reflectance_scale": model.reflectance.component_scale,
        **{name: getattr(model, name) for name in TABLES},
    }
    record = {
        "name": model.name,
        "sha256": model.sha256,
        "licence": model.licence,
        "expression_unit": asdict(model.expression_unit),
        "shape": model.shape.components,
    }
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        _keep_extras(model, partial / EXTRAS)
        (partial / RECORD).write_text(json.dumps(record))
        (partial / CHECKSUMS).write_text(checksums(partial), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # Another process may have kept it meanwhile.
            partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def attach(folder: Path) -> MorphableModel:
    """The kept model, its bases mapped; ValueError where it is not what was written."""
    if (folder / CHECKSUMS).read_text("utf-8") != checksums(folder):
        raise ValueError(f"{folder}: not what was kept")
    record: dict[str, Any] = json.loads((folder / RECORD).read_text())
    a = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in BASES}
    a |= {name: np.load(folder / f"{name}.npy") for name in (*SMALL, *TABLES)}
    shapes = record.pop("shape")
    unit = CoefficientUnit(**record.pop("expression_unit"))
    basis, component_scale = a["geometry"], a["geometry_scale"]
    return MorphableModel(
        shape=LinearModel(a["shape_mean"], basis[:shapes], component_scale[:shapes]),
        expression=LinearModel(a["expression_mean"], basis[shapes:], component_scale[shapes:]),
        reflectance=LinearModel(a["reflectance_mean"], a["reflectance"], a["reflectance_scale"]),
        **{name: a[name] for name in TABLES},
        expression_unit=unit,
        **record,
        **vars(_attach_extras(folder / EXTRAS)),
    )


def _keep_extras(model: MorphableModel, path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("facegen")
        extras.write(file, model_file.extras_of(model))


def _attach_extras(path: Path) -> extras.Extras:
    with h5py.File(path) as file:
        return extras.read(file)


def checksums(folder: Path) -> str:
    """CRC-32 of every file of a kept model, as JSON: three times as fast as SHA-256."""
    names = (RECORD, EXTRAS, *(f"{name}.npy" for name in (*BASES, *SMALL, *TABLES)))
    mapped = {name: np.memmap(folder / name, np.uint8, mode="r") for name in names}
    return json.dumps({name: zlib.crc32(data.data) for name, data in mapped.items()})
