"""Face models as the workers share them: bases in memory-mapped files, one copy for a machine.

A model file is read, checked and scaled once; what came of it is kept under the user's cache, named
by the file's hash, and every process maps the same pages.
"""

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from facegen.errors import ModelError, located
from facegen.files import cache_folder
from facegen.models import model_file
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.recipe.recipe import Coefficients
from facegen.scene.parameters import CoefficientUnit

VERSION = 4
BASES = ("geometry", "reflectance")
SMALL = ("shape_mean", "expression_mean", "reflectance_mean", "geometry_scale", "reflectance_scale")
TABLES = ("triangles", "landmarks", "segmentation")


def open_model(path: Path, counts: Coefficients) -> MorphableModel:
    """The model with so many coefficients, its bases shared with every other process."""
    with located(path):
        sha256 = model_file.checked_sha256(path)
    name = f"{sha256}-{counts.shape}-{counts.expression}-{counts.reflectance}-{VERSION}"
    folder = cache() / name
    try:
        return attach(folder)
    except (OSError, ValueError, KeyError, ModelError):
        model = model_file.load(path).truncated(counts.shape, counts.expression, counts.reflectance)
        keep(model, folder)
        return attach(folder)


def cache() -> Path:
    """The folder of cached models: the user's, or a private one where that is not to be had."""
    private = Path(tempfile.gettempdir()) / f"facegen-{os.getuid()}"
    for folder in (cache_folder(), private):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise ModelError(
        "no folder to cache the model in", "set XDG_CACHE_HOME to one that is writable"
    )


def keep(model: MorphableModel, folder: Path) -> None:
    """Write the model's arrays; the folder appears whole, or not at all."""
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
        (partial / "model.json").write_text(json.dumps(record))
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if not folder.is_dir():
            message = f"{folder.parent}: {error.strerror or error}"
            raise ModelError(message, "free some space, or set XDG_CACHE_HOME") from None


def attach(folder: Path) -> MorphableModel:
    """The kept model, its bases mapped and not read."""
    record = json.loads((folder / "model.json").read_text())
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
    )
