"""How OBJ text is read: vertices, their colours, faces of any number of corners, materials."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.models.importers.foreign import MAX_VERTICES
from facegen.models.importers.polygons import fans

MAX_BYTES = 500_000_000
KEYWORDS = {b"v", b"vn", b"vt", b"vp", b"f", b"l", b"o", b"g", b"s", b"mtllib", b"usemtl"}
WIDTHS = {3, 4, 6, 7}  # x y z, a weight perhaps, a colour perhaps


@dataclass(frozen=True, eq=False)
class Obj:
    """vertices (V, 3); colours (V, 3) where all vertices have one; triangles (F, 3) in order.

    material: of each triangle (F,), the number of its name; some_coloured: whether colours were
    left out, because not all vertices have one.
    """

    vertices: NDArray[np.float64]
    colours: NDArray[np.float64] | None
    triangles: NDArray[np.int32]
    material: NDArray[np.int64]
    names: tuple[str, ...]
    some_coloured: bool

    @property
    def materials(self) -> dict[str, NDArray[np.int32]]:
        """The triangles of each material, in order."""
        return {name: self.triangles[self.material == i] for i, name in enumerate(self.names)}


@dataclass
class _Polygons:
    """Faces as they are read: corners one after the other, how many each has, its material."""

    corners: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    material: list[int] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)


def read_obj(path: Path, faces: bool = True) -> Obj:
    """An OBJ's vertices, and its faces as triangles (polygons as fans) unless left out."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    rows: list[bytes] = []
    polygons = _Polygons()
    material = ""
    for keyword, rest in _statements(path.read_bytes().removeprefix(BOM_UTF8)):
        if keyword == b"v":
            rows.append(rest)
        elif faces and keyword == b"f":
            _add(polygons, rest, len(rows), material)
        elif keyword == b"usemtl":
            material = rest.strip().decode("utf-8", "replace")
    vertices, colours, some_coloured = _vertices(rows)
    counts, corners = (np.array(a, np.int64) for a in (polygons.counts, polygons.corners))
    triangles, owner = fans(counts, corners, len(vertices))
    owners = np.array(polygons.material, np.int64)[owner]
    return Obj(vertices, colours, triangles, owners, tuple(polygons.names), some_coloured)


def _statements(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(keyword, the rest) of every line: comments left out, continued lines joined."""
    if b"\\" in data:
        data = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    comments = b"#" in data
    for line in data.splitlines():
        statement = line.partition(b"#")[0] if comments else line
        fields = statement.split(None, 1)
        if len(fields) == 2:
            yield fields[0], fields[1]


def _add(polygons: _Polygons, rest: bytes, vertices: int, material: str) -> None:
    """A face; numbers below zero count back from the last vertex before it."""
    try:
        corners = [int(corner.partition(b"/")[0]) for corner in rest.split()]
    except ValueError:
        raise ModelError("a face does not name its vertices by number") from None
    numbers = [n - 1 if n > 0 else n + vertices for n in corners]
    if 0 in corners or min(numbers) < 0 or max(numbers) > MAX_VERTICES:
        raise ModelError("a face names a vertex that does not exist: they count from 1")
    polygons.corners += numbers
    polygons.counts.append(len(numbers))
    polygons.material.append(polygons.names.setdefault(material, len(polygons.names)))


def _vertices(
    rows: list[bytes],
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, bool]:
    """Places (V, 3), colours (V, 3) or None, and whether only some vertices have one."""
    if not 3 <= len(rows) <= MAX_VERTICES:
        raise ModelError(f"{len(rows):,} vertices, not between 3 and {MAX_VERTICES:,}")
    fields = [row.split() for row in rows]
    widths = {len(row) for row in fields}
    if not widths <= WIDTHS:
        raise ModelError("a vertex is not three numbers, or six with its colour")
    coloured = widths <= {6, 7}
    try:
        values = np.array([row[: 6 if coloured else 3] for row in fields], np.float64)
    except ValueError:
        raise ModelError("a vertex is not three numbers, or six with its colour") from None
    colours = values[:, 3:] if coloured else None
    return values[:, :3], colours, not coloured and bool(widths & {6, 7})
