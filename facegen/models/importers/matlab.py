"""Models in MATLAB files: Basel 2009, face3d, Deep3DFaceRecon, LSFM and LYHM.

What each file calls its arrays is in the reader of it. Vertices are numbered from 1, except in
LSFM; `winding` is not trusted: the importer turns triangles outward.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from facegen.errors import ModelError
from facegen.models.importers.foreign import Array, ForeignModel, deviations, modes, triangles_of
from facegen.models.importers.landmarks import BFM2009, published
from facegen.models.importers.tables import Tables
from facegen.models.model_file import Modes
from facegen.models.morphable_model import LANDMARKS

MICROMETRE, DECIMETRE = 1e-3, 100.0
BYTE = 1 / 255
_LENGTHS = ((1.0, "mm"), (10.0, "cm"), (DECIMETRE, "dm"), (1000.0, "metres"), (MICROMETRE, "µm"))
BASEL = "Basel Face Model: non-commercial research, see its own licence"


def basel_2009(tables: Tables, path: Path) -> ForeignModel:
    """01_MorphableModel.mat (Paysan et al. 2009): shapeMU (3 V, 1) in micrometres, shapePC
    (3 V, k), shapeEV (k, 1) standard deviations; texMU, texPC, texEV in 0..255; tl (F, 3) from 1.
    """
    return ForeignModel(
        name=path.stem,
        family="Basel 2009",
        shape=_modes(tables, "shape", "shapeMU", "shapePC", "shapeEV").scaled(MICROMETRE),
        triangles=triangles_of(tables["tl"], first=1),
        unit="micrometres in the file, times 0.001",
        scale=MICROMETRE,
        licence=BASEL,
        reflectance=_modes(tables, "reflectance", "texMU", "texPC", "texEV").scaled(BYTE),
        landmarks=published(tables["shapeMU"].size // 3, BFM2009),
        notes=("shapeEV and texEV are standard deviations", "texMU of 0..255 divided by 255"),
    )


def face3d(tables: Tables, path: Path) -> ForeignModel:
    """BFM.mat of face3d: a struct `model` with shapeMU, shapePC, shapeEV, expMU, expPC, expEV in
    micrometres, texMU, texPC, texEV in 0..255, tri (3, F), tri_mouth and kpt_ind (1, 68) from 1.
    """
    t = {name.removeprefix("model/"): table for name, table in tables.items()}
    triangles = triangles_of(t["tri"], first=1)
    if "tri_mouth" in t:
        triangles = np.concatenate([triangles, triangles_of(t["tri_mouth"], first=1)])
    has_texture = "texMU" in t
    return ForeignModel(
        name=path.stem,
        family="face3d (Basel 2009 with FaceWarehouse expressions)",
        shape=_modes(t, "shape", "shapeMU", "shapePC", "shapeEV").scaled(MICROMETRE),
        triangles=triangles,
        unit="micrometres in the file, times 0.001",
        scale=MICROMETRE,
        licence=BASEL,
        expression=_modes(t, "expression", "expMU", "expPC", "expEV").scaled(MICROMETRE),
        reflectance=_modes(t, "reflectance", "texMU", "texPC", "texEV").scaled(BYTE)
        if has_texture
        else None,
        landmarks=_landmarks(t, "kpt_ind"),
        notes=("the mouth's triangles (tri_mouth) are part of the surface",),
    )


def deep3d(tables: Tables, path: Path) -> ForeignModel:
    """BFM_model_front.mat of Deep3DFaceRecon: meanshape (1, 3 V), idBase (3 V, 80) and exBase
    (3 V, 64) in decimetres and multiplied by their deviations already, meantex (1, 3 V) and texBase
    (3 V, 80) in 0..255, tri (F, 3) and keypoints (1, 68) from 1.
    """

    def modes_of(group: str, mean: Array, basis: str) -> Modes:
        return modes(group, mean, tables[basis], np.ones(tables[basis].shape[1]))

    mean = tables["meanshape"]
    return ForeignModel(
        name=path.stem,
        family="Deep3DFaceRecon (Basel 2009, front)",
        shape=modes_of("shape", mean, "idBase").scaled(DECIMETRE),
        triangles=triangles_of(tables["tri"], first=1),
        unit="decimetres in the file, times 100",
        scale=DECIMETRE,
        licence=BASEL,
        expression=modes_of("expression", np.zeros(mean.size), "exBase").scaled(DECIMETRE),
        reflectance=modes_of("reflectance", tables["meantex"], "texBase").scaled(BYTE),
        landmarks=_landmarks(tables, "keypoints"),
        notes=("idBase, exBase and texBase hold the deviations already",),
    )


def lsfm(tables: Tables, path: Path) -> ForeignModel:
    """LSFM's GENDER_ETHNICITY_AGE.mat: mean (3 V), components (3 V, k) of length one, eigenvalues
    (k), which are variances, trilist (F, 3) from 0.
    """
    shape = modes(
        "shape",
        tables["mean"],
        tables["components"],
        deviations("shape", tables["eigenvalues"]),
    )
    factor, unit = head_unit(shape.mean)
    return ForeignModel(
        name=path.stem,
        family="LSFM",
        shape=shape.scaled(factor),
        triangles=triangles_of(tables["trilist"]),
        unit=unit,
        scale=factor,
        licence="LSFM: non-commercial research, see its own licence",
        notes=("eigenvalues are variances",),
    )


def lyhm(tables: Tables, path: Path) -> ForeignModel:
    """LYHM_*.mat: structs shp and tex with mu (1, 3 V), eigVec (3 V, k) of length one and eigVal
    (k, 1), which are variances; colours in [0, 1]; tri.faces (F, 3) from 1, wound inward.
    """

    def modes_of(group: str, struct: str) -> Modes:
        sd = deviations(group, tables[f"{struct}/eigVal"])
        basis = tables[f"{struct}/eigVec"]
        return modes(group, tables[f"{struct}/mu"], basis, sd[: basis.shape[1]])

    shape = modes_of("shape", "shp")
    factor, unit = head_unit(shape.mean)
    return ForeignModel(
        name=path.stem,
        family="LYHM",
        shape=shape.scaled(factor),
        triangles=triangles_of(tables["tri/faces"], first=1),
        unit=unit,
        scale=factor,
        licence="LYHM: non-commercial research, see its own licence",
        reflectance=modes_of("reflectance", "tex") if "tex/mu" in tables else None,
        notes=("eigVal are variances",),
    )


# What a file must hold -> who reads it; the first that fits.
READERS: tuple[tuple[tuple[str, ...], Callable[[Tables, Path], ForeignModel]], ...] = (
    (("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV", "tl"), basel_2009),
    (("model/shapeMU", "model/shapePC", "model/shapeEV", "model/expPC", "model/tri"), face3d),
    (("meanshape", "idBase", "exBase", "meantex", "texBase", "tri", "keypoints"), deep3d),
    (("mean", "components", "eigenvalues", "trilist"), lsfm),
    (("shp/mu", "shp/eigVec", "shp/eigVal", "tri/faces"), lyhm),
)


def read(tables: Tables, path: Path) -> ForeignModel:
    """The model in a MATLAB file's arrays."""
    for names, reader in READERS:
        if all(name in tables for name in names):
            return reader(tables, path)
    held = ", ".join(sorted(tables)[:8]) or "nothing"
    raise ModelError(f"a MATLAB file of no face model that we know: it holds {held}")


def head_unit(mean: Array) -> tuple[float, str]:
    """The power of ten that makes a head's longest side 100 to 1000 mm, and words for it."""
    size = float(np.ptp(mean.reshape(-1, 3), axis=0).max())
    if not size > 0:
        raise ModelError("all its vertices lie in one point")
    for factor, unit in _LENGTHS:
        if 100 <= size * factor < 1000:
            return factor, f"taken for {unit} by its size of {size:.4g}, times {factor:g}"
    return 1.0, f"taken for mm, though its size of {size:.4g} is no head's in any unit"


def _modes(tables: Tables, group: str, mean: str, basis: str, sd: str) -> Modes:
    return modes(group, tables[mean], tables[basis], tables[sd])


def _landmarks(tables: Tables, key: str) -> Array | None:
    """68 vertices numbered from 1, or None."""
    if key not in tables:
        return None
    if tables[key].size != LANDMARKS:
        raise ModelError(f"{key} has {tables[key].size} values, not {LANDMARKS}")
    return tables[key].reshape(-1).astype(np.int32) - 1
