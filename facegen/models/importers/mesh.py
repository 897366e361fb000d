"""Any triangle mesh, OBJ or PLY: one mean shape without variation. And how OBJ text is read."""

import io
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.models.importers.foreign import MAX_VERTICES, ForeignModel, modes
from facegen.models.importers.matlab import head_unit

MAX_BYTES = 500_000_000
LICENCE = "not stated in the file"


@dataclass(frozen=True, eq=False)
class Obj:
    """vertices (V, 3), colours (V, 3) or None, triangles (F, 3) by material, in order."""

    vertices: NDArray[np.float64]
    colours: NDArray[np.float64] | None
    materials: dict[str, NDArray[np.int32]]

    @property
    def triangles(self) -> NDArray[np.int32]:
        return np.concatenate(list(self.materials.values()) or [np.empty((0, 3), np.int32)])


def read(path: Path) -> ForeignModel:
    """The mesh as a model of one face; a size in cm, m or µm is told by a head's size."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    with path.open("rb") as file:
        ply = file.read(3) == b"ply"
    points, colours, triangles = _read_ply(path) if ply else _read_obj(path)
    shape = modes("mesh", points, None, None)
    factor, unit = head_unit(shape.mean)
    return ForeignModel(
        name=path.stem,
        family="mesh (PLY)" if ply else "mesh (OBJ)",
        shape=shape.scaled(factor),
        triangles=triangles,
        unit=unit,
        scale=factor,
        licence=LICENCE,
        reflectance=None if colours is None else modes("reflectance", colours, None, None),
        notes=("one mean shape, no variation", "textures are not read, colours of vertices are"),
    )


def read_obj(path: Path, faces: bool = True) -> Obj:
    """An OBJ's vertices, and its faces as triangles (polygons as fans) unless left out."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    lines = path.read_bytes().splitlines()
    vertices = _vertices([line[2:] for line in lines if line[:2] == b"v "])
    materials = _faces(lines, len(vertices)) if faces else {}
    colours = vertices[:, 3:6] if vertices.shape[1] >= 6 else None
    return Obj(vertices[:, :3], colours, materials)


def _vertices(lines: list[bytes]) -> NDArray[np.float64]:
    if not 3 <= len(lines) <= MAX_VERTICES:
        raise ModelError(f"{len(lines):,} vertices, not between 3 and {MAX_VERTICES:,}")
    try:
        values = np.array(b" ".join(lines).split(), np.float64).reshape(len(lines), -1)
    except ValueError:
        raise ModelError("a vertex is not three numbers like the others") from None
    if values.shape[1] not in (3, 4, 6, 7):
        raise ModelError(f"vertices of {values.shape[1]} numbers, not 3 or 6")
    return values


def _faces(lines: list[bytes], count: int) -> dict[str, NDArray[np.int32]]:
    material = ""
    corners_of: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    try:
        for line in lines:
            if line[:2] == b"f ":
                corners = [int(corner.split(b"/")[0]) for corner in line[2:].split()]
                corners_of[material] += [(corners[0], *pair) for pair in pairwise(corners[1:])]
            elif line[:7] == b"usemtl ":
                material = line[7:].strip().decode("utf-8", "replace")
        tables = {name: np.array(rows, np.int64) for name, rows in corners_of.items()}
    except (ValueError, IndexError, OverflowError):
        raise ModelError("a face does not name its vertices by number") from None
    return {name: _from_one(rows, count) for name, rows in tables.items()}


def _from_one(rows: NDArray[np.int64], count: int) -> NDArray[np.int32]:
    """Indices from 0; those below zero count from the end."""
    rows = np.where(rows < 0, rows + count, rows - 1).reshape(-1, 3)
    if rows.size and not 0 <= rows.min() <= rows.max() < count:
        raise ModelError(f"a face names a vertex that does not exist: there are {count:,}")
    return rows.astype(np.int32)


def _read_obj(
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.int32]]:
    obj = read_obj(path)
    colours = obj.colours
    if colours is not None and colours.max() > 1:
        colours = colours / 255
    return obj.vertices, colours, obj.triangles


def _read_ply(
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, NDArray[np.int32]]:
    try:
        import trimesh
    except ImportError:
        raise ModelError("a PLY is read by trimesh", "pip install trimesh") from None
    _check_ply_header(path)
    try:
        data = io.BytesIO(path.read_bytes())
        mesh = trimesh.load_mesh(data, file_type="ply", process=False, maintain_order=True)
        points = np.asarray(mesh.vertices, np.float64)
        triangles = np.asarray(mesh.faces, np.int64)
        visual: Any = mesh.visual
        coloured = visual.kind == "vertex"
        colours = np.asarray(visual.vertex_colors)[:, :3] / 255 if coloured else None
    except Exception as error:  # trimesh raises what its readers meet.
        raise ModelError(f"damaged PLY: {type(error).__name__}") from None
    if points.ndim != 2 or not len(triangles):
        raise ModelError("a PLY without triangles")
    return points, colours, _from_one(triangles + 1, len(points))


def _check_ply_header(path: Path) -> None:
    """Refuse counts that the file cannot hold, before anything is allocated."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(64_000).split(b"end_header")[0]
    for line in header.splitlines():
        fields = line.split()
        if fields[:1] == [b"element"] and (
            len(fields) != 3 or not fields[2].isdigit() or int(fields[2]) > size
        ):
            raise ModelError("its header promises more than the file holds")
