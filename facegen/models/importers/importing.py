"""A file of another project -> a model file of ours: recognised by content, checked, completed."""

from codecs import BOM_UTF8
from pathlib import Path

import h5py
import numpy as np

from facegen.errors import ModelError, located
from facegen.models import hdf5, model_file
from facegen.models.importers import (
    eos,
    flame,
    gnm,
    ict,
    landmarks,
    matlab,
    mesh,
    obj,
    pickles,
    statismo,
    tables,
)
from facegen.models.importers.complete import complete
from facegen.models.importers.filled import Filled
from facegen.models.importers.foreign import ForeignModel, checked
from facegen.models.morphable_model import MorphableModel

_KNOWN = (
    "known are Basel 2009/2017/2019, face3d, Deep3DFaceRecon, FLAME, ICT-FaceKit, LSFM, LYHM, GNM, "
    "eos exports, OBJ and PLY"
)


def read(path: Path) -> ForeignModel:
    """The model in a file or folder of any known format, checked."""
    # Values that overflow are refused where they are checked.
    with located(path), np.errstate(all="ignore"):
        try:
            return checked(_read(path))
        except (IsADirectoryError, FileNotFoundError, PermissionError) as error:
            raise ModelError(error.strerror or str(error)) from None
        except (KeyError, IndexError, ValueError, TypeError) as error:
            message = " ".join(str(error).split())[:120]
            raise ModelError(f"not laid out as its format is: {message}") from None
        except MemoryError:
            raise ModelError("too large for this machine's memory") from None


def import_model(
    path: Path, out: Path, generic: MorphableModel, name: str | None, points: Path | None
) -> tuple[Filled, MorphableModel]:
    """Read, complete and write a model; what was found, and the model as it will be loaded."""
    model = read(path)
    if name:
        model = model.noting(name=name)
    if points:
        vertices = landmarks.read(points, model.mean_face / model.scale, model.triangles)
        model = model.noting(f"landmarks from {points.name}", landmarks=vertices)
    with located(path):
        filled = complete(model, generic)
    model_file.write(out, filled.content(f"{model.family}: {path.name}"))
    return filled, model_file.load(out)


def _read(path: Path) -> ForeignModel:
    if path.is_dir():
        return ict.read(path)
    with path.open("rb") as file:
        start = file.read(4096)
    if h5py.is_hdf5(path):
        return _read_hdf5(path)
    for fits, reader in (
        (start[:6] == b"MATLAB", _read_mat),
        (start[:4] == b"PK\x03\x04", _read_npz),
        (eos.recognises_text(start), eos.read),
        (start[:3] == b"ply" or _is_obj(start), mesh.read),
        (pickles.recognises(start), _read_pickle),
    ):
        if fits:
            return reader(path)
    raise ModelError("no face model that we know", _KNOWN)


def _read_mat(path: Path) -> ForeignModel:
    return matlab.read(tables.read_mat(path), path)


def _read_hdf5(path: Path) -> ForeignModel:
    with hdf5.opened(path, ModelError) as file:
        basel_like = statismo.recognises(file)
        eos_like = hdf5.has(file, eos.SHAPE)
    if basel_like:
        return statismo.read(path)
    if eos_like:
        return eos.read(path)
    arrays = tables.read_mat(path)
    return gnm.read(arrays, path) if gnm.recognises(arrays) else matlab.read(arrays, path)


def _read_npz(path: Path) -> ForeignModel:
    arrays = tables.read_npz(path)
    if gnm.recognises(arrays):
        return gnm.read(arrays, path)
    if flame.recognises(arrays):
        return flame.read(arrays, path)
    names = ", ".join(sorted(arrays)[:8])
    raise ModelError(f"an npz of no face model that we know: it holds {names}")


def _read_pickle(path: Path) -> ForeignModel:
    table = pickles.read(path)
    if not flame.recognises(table):
        raise ModelError("a pickle that is not FLAME's", _KNOWN)
    return flame.read(table, path)


def _is_obj(start: bytes) -> bool:
    lines = [line.split() for line in start.removeprefix(BOM_UTF8).splitlines() if line.strip()]
    if b"\0" in start or len(lines) < 2:
        return False
    return lines[0][0].startswith(b"#") or (lines[0][0] in obj.KEYWORDS and len(lines[0]) > 1)
