"""How PLY is read, as text and as bytes of either order: all elements, lists of any length.

(Turk, The PLY polygon file format, 1994; and the newer names of types.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.models.importers.foreign import MAX_VERTICES
from facegen.models.importers.polygons import fans

MAX_BYTES = 500_000_000
MAX_HEADER, MAX_LIST = 64_000, 100_000
CUT = "its header promises more than the file holds"
TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
ORDERS = {b"binary_little_endian": "<", b"binary_big_endian": ">", b"ascii": ""}
CHANNELS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
CORNERS = ("vertex_indices", "vertex_index")
LARGEST = {"u1": 255.0, "u2": 65535.0}

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Property:
    """A column of an element: one value a row, or a list with its length before it."""

    name: str
    kind: str
    length_kind: str = ""


@dataclass(frozen=True)
class Element:
    """So many rows of these properties."""

    name: str
    count: int
    properties: tuple[Property, ...]


@dataclass(frozen=True, eq=False)
class Ply:
    """vertices (V, 3), colours (V, 3) or None, triangles (F, 3) in order.

    Colours of whole numbers are parts of their type's largest, others are as the file has them.
    """

    vertices: Float64
    colours: Float64 | None
    triangles: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Lists:
    """A list a row: their lengths (n,), and all their values one after the other."""

    lengths: NDArray[np.int64]
    values: Float64


Columns = dict[str, Float64 | Lists]


class Source(Protocol):
    """The values of a file, from a position on."""

    position: int

    def block(self, kinds: Sequence[str], rows: int) -> Float64:
        """The next rows (rows, len(kinds)) of values of these kinds."""
        ...


class Text:
    """Values as words."""

    def __init__(self, data: bytes) -> None:
        self._words, self.position = data.split(), 0

    def block(self, kinds: Sequence[str], rows: int) -> Float64:
        start, self.position = self.position, self.position + rows * len(kinds)
        words = self._words[start : self.position]
        if len(words) < rows * len(kinds):
            raise ModelError(CUT)
        return np.array(words, np.float64).reshape(rows, len(kinds))


class Bytes:
    """Values as bytes of either order."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data, self._order, self.position = data, order, 0

    def block(self, kinds: Sequence[str], rows: int) -> Float64:
        if not kinds:
            return np.empty((rows, 0))
        kind = np.dtype([(f"{i}", self._order + kind) for i, kind in enumerate(kinds)])
        start, self.position = self.position, self.position + rows * kind.itemsize
        if self.position > len(self._data):
            raise ModelError(CUT)
        table = np.frombuffer(self._data, kind, rows, start)
        return np.stack([table[name] for name in kind.names or ()], axis=1).astype(np.float64)


def read_ply(path: Path) -> Ply:
    """A PLY's vertices, their colours, and its faces as triangles (polygons as fans)."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    data = path.read_bytes()
    order, elements, start = _header(data)
    source = Bytes(data[start:], order) if order else Text(data[start:])
    try:
        columns = {element.name: _columns(element, source) for element in elements}
    except (ValueError, OverflowError):
        raise ModelError("damaged PLY: not the numbers that its header promises") from None
    return _mesh({element.name: element for element in elements}, columns)


def _header(data: bytes) -> tuple[str, list[Element], int]:
    """The order of bytes ('' for text), the elements, and where they begin."""
    end = data.find(b"end_header", 0, MAX_HEADER)
    start = data.find(b"\n", end) + 1
    if end < 0 or start == 0:
        raise ModelError("damaged PLY: its header has no end")
    order: str | None = None
    elements: list[Element] = []
    for line in data[:end].splitlines():
        fields = line.split()
        if fields[:1] == [b"format"] and len(fields) > 1:
            order = ORDERS.get(fields[1])
        elif fields[:1] == [b"element"]:
            elements.append(_element(fields, len(data)))
        elif fields[:1] == [b"property"]:
            elements[-1:] = [_with_property(elements[-1:], fields)]
    if order is None:
        raise ModelError("damaged PLY: it states no format that is known")
    return order, elements, start


def _element(fields: list[bytes], size: int) -> Element:
    if len(fields) != 3 or not fields[2].isdigit() or len(fields[2]) > 12:
        raise ModelError("damaged PLY: an element without a number")
    if int(fields[2]) > size:
        raise ModelError(CUT)
    return Element(fields[1].decode("utf-8", "replace"), int(fields[2]), ())


def _with_property(above: list[Element], fields: list[bytes]) -> Element:
    """The element above this line of the header, with its property."""
    words = [field.decode("utf-8", "replace") for field in fields[1:]]
    kinds = [TYPES.get(word) for word in (words[1:-1] if words[:1] == ["list"] else words[:-1])]
    if not above or len(kinds) not in (1, 2) or None in kinds:
        raise ModelError(f"damaged PLY: a property that is none: {' '.join(words)[:80]}")
    *length, kind = [kind for kind in kinds if kind]
    added = Property(words[-1], kind, *length)
    return Element(above[0].name, above[0].count, (*above[0].properties, added))


def _columns(element: Element, source: Source) -> Columns:
    """An element's columns: of lists, most files have lists of one length, which is quicker."""
    if not element.count or not element.properties:
        return {}
    start = source.position
    lengths = [len(_value(one, source)) for one in element.properties]
    source.position = start
    columns = _uniform(element, lengths, source)
    if columns is None:
        source.position = start
        columns = _row_by_row(element, source)
    return columns


def _value(one: Property, source: Source) -> Float64:
    """A property's value in the row that comes next: one number, or a list's."""
    length = _length(source.block([one.length_kind], 1)[0, 0]) if one.length_kind else 1
    values: Float64 = source.block([one.kind] * length, 1)[0]
    return values


def _length(value: float) -> int:
    if not 0 <= value <= MAX_LIST:
        raise ModelError(f"damaged PLY: a list of {value:.0f} values")
    return int(value)


def _uniform(element: Element, lengths: list[int], source: Source) -> Columns | None:
    """The columns if all rows have lists of these lengths."""
    kinds: list[str] = []
    places: dict[str, int] = {}
    for one, length in zip(element.properties, lengths, strict=True):
        places[one.name] = len(kinds)
        kinds += [one.length_kind, *[one.kind] * length] if one.length_kind else [one.kind]
    try:
        table = source.block(kinds, element.count)
    except ModelError:
        return None
    columns: Columns = {}
    for one, length in zip(element.properties, lengths, strict=True):
        first = places[one.name]
        column = table[:, first]
        columns[one.name] = column
        if one.length_kind:
            if (column != length).any():
                return None
            values = table[:, first + 1 : first + 1 + length].reshape(-1)
            columns[one.name] = Lists(column.astype(np.int64), values)
    return columns


def _row_by_row(element: Element, source: Source) -> Columns:
    """The columns of rows whose lists have lengths of their own."""
    rows: dict[str, list[Float64]] = {one.name: [] for one in element.properties}
    for _ in range(element.count):
        for one in element.properties:
            rows[one.name].append(_value(one, source))
    columns: Columns = {}
    for one in element.properties:
        values = np.concatenate(rows[one.name])
        lengths = np.array([len(row) for row in rows[one.name]], np.int64)
        columns[one.name] = Lists(lengths, values) if one.length_kind else values
    return columns


def _mesh(elements: dict[str, Element], columns: dict[str, Columns]) -> Ply:
    vertex, face = columns.get("vertex", {}), columns.get("face", {})
    axes = [vertex.get(axis) for axis in "xyz"]
    places = [axis for axis in axes if isinstance(axis, np.ndarray)]
    if len(places) < 3 or not 3 <= len(places[0]) <= MAX_VERTICES:
        raise ModelError(f"a PLY without x, y and z of 3 to {MAX_VERTICES:,} vertices")
    corners = next((face[name] for name in CORNERS if name in face), None)
    if not isinstance(corners, Lists):
        others = ", ".join(name for name in elements if name != "vertex") or "nothing else"
        raise ModelError(f"a PLY without faces: beside vertices it holds {others}")
    numbers = np.nan_to_num(corners.values, nan=-1).clip(-1, MAX_VERTICES).astype(np.int64)
    triangles, _ = fans(corners.lengths, numbers, len(places[0]))
    return Ply(np.stack(places, axis=1), _colours(elements["vertex"], vertex), triangles)


def _colours(element: Element, vertex: Columns) -> Float64 | None:
    kinds = {one.name: one.kind for one in element.properties}
    for names in CHANNELS:
        channels = [vertex.get(name) for name in names]
        found = [channel for channel in channels if isinstance(channel, np.ndarray)]
        if len(found) == len(names):
            return np.asarray(np.stack(found, axis=1) / LARGEST.get(kinds[names[0]], 1.0))
    return None
