"""Any triangle mesh, OBJ or PLY: one mean shape without variation."""

from pathlib import Path

import numpy as np

from facegen.models.importers.foreign import ForeignModel, modes
from facegen.models.importers.matlab import head_unit
from facegen.models.importers.obj import Obj, read_obj
from facegen.models.importers.ply import Ply, read_ply

LICENCE = "not stated in the file"
NOTES = ("one mean shape, no variation", "textures are not read, colours of vertices are")
SOME_COLOURED = "only some vertices have a colour: left out"


def read(path: Path) -> ForeignModel:
    """The mesh as a model of one face; a size in cm, m or µm is told by a head's size."""
    with path.open("rb") as file:
        is_ply = file.read(3) == b"ply"
    mesh: Ply | Obj = read_ply(path) if is_ply else read_obj(path)
    shape = modes("mesh", mesh.vertices, None, None)
    surface = shape.mean[np.unique(mesh.triangles)] if mesh.triangles.size else shape.mean
    factor, unit = head_unit(surface)
    colours = mesh.colours
    if colours is not None and colours.max() > 1:
        colours = colours / 255
    some_coloured = isinstance(mesh, Obj) and mesh.some_coloured
    return ForeignModel(
        name=path.stem,
        family="mesh (PLY)" if is_ply else "mesh (OBJ)",
        shape=shape.scaled(factor),
        triangles=mesh.triangles,
        unit=unit,
        scale=factor,
        licence=LICENCE,
        reflectance=None if colours is None else modes("reflectance", colours, None, None),
        notes=(*NOTES, SOME_COLOURED) if some_coloured else NOTES,
    )
