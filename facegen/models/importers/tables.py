"""MATLAB and NumPy archives of strangers as {name: array}, their sizes checked before reading."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.models import hdf5

Tables = dict[str, NDArray[Any]]

MAX_BYTES = 2_000_000_000
MAX_ARRAYS, MAX_DEPTH = 1000, 3
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_VALUES = (1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18)
_ARRAY_FLAGS = (6, 8)
_SMALL = 0xFFFF
_STEP = 1 << 22
_BROKEN = (OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, EOFError,
           SyntaxError, tokenize.TokenError)  # fmt: skip


def read_mat(path: Path) -> Tables:
    """The numbers of a .mat file, version 5 or 7.3; fields of structs as 'struct/field'."""
    if h5py.is_hdf5(path):
        return _read_mat73(path)
    _check_mat5(path)
    try:
        loaded = scipy.io.loadmat(path, chars_as_strings=False)
    except Exception as error:  # A damaged file can raise anything at all in scipy's reader.
        raise ModelError(f"damaged MATLAB file: {type(error).__name__}") from None
    tables: Tables = {}
    for name, value in loaded.items():
        tables |= _flat(name, value)
    return tables


def read_npz(path: Path) -> Tables:
    """The arrays of numbers in an .npz, without unpickling anything."""
    tables: Tables = {}
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
            if total > MAX_BYTES:
                raise ModelError(f"unpacks to {total:,} bytes, more than {MAX_BYTES:,}")
            for entry in archive.infolist():
                if entry.filename.endswith(".npy"):
                    member = _member(archive, entry)
                    if member is not None:
                        tables[entry.filename.removesuffix(".npy")] = member
    except (*_BROKEN, zipfile.BadZipFile, zlib.error, RuntimeError, MemoryError) as error:
        raise ModelError(f"damaged npz: {' '.join(str(error).split())[:120]}") from None
    return tables


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any] | None:
    """One array, whose header may not promise more than the archive holds; objects are left."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    if dtype.kind not in "fiubUS":
        return None
    size = int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize
    if size > entry.file_size:
        raise ModelError(f"{entry.filename} promises {size:,} bytes and has {entry.file_size:,}")
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_mat73(path: Path) -> Tables:
    """Version 7.3 is HDF5, its arrays transposed; groups are structs."""
    tables: Tables = {}
    with hdf5.opened(path, ModelError) as file:
        keys = list(islice(_keys(file), MAX_ARRAYS + 1))
        total = sum(file[key].nbytes for key in keys)
        if len(keys) > MAX_ARRAYS or total > MAX_BYTES:
            raise ModelError(f"more than {MAX_ARRAYS} arrays, or than {MAX_BYTES:,} bytes of them")
        for key in keys:
            tables[key] = hdf5.numbers(file, key).T
    return tables


def _keys(file: h5py.File, room: str = "", depth: int = 0) -> Iterator[str]:
    """Where arrays of numbers stand in the file itself; of odd groups, the first few names."""
    for name in islice(file[room] if room else file, MAX_ARRAYS):
        key = f"{room}/{name}" if room else name
        if name.startswith("#") or not hdf5.has(file, key):
            continue
        if isinstance(file[key], h5py.Dataset):
            yield from [key] if file[key].dtype.kind in "fiu" else []
        elif depth < MAX_DEPTH:
            yield from _keys(file, key, depth + 1)


def _flat(name: str, value: Any, depth: int = 0) -> Tables:
    """A MATLAB value as arrays of numbers; a struct is an array of one record of objects."""
    if not isinstance(value, np.ndarray) or depth > 3:
        return {}
    if value.dtype.names and value.size == 1:
        record = value.reshape(-1)[0]
        tables: Tables = {}
        for field in value.dtype.names:
            tables |= _flat(f"{name}/{field}", record[field], depth + 1)
        return tables
    return {name: value} if value.dtype.kind in "fiub" else {}


def _check_mat5(path: Path) -> None:
    """Refuse a version 5 file of more than MAX_BYTES unpacked, or of elements that crash scipy."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    total = 0
    with path.open("rb") as file:
        order = "<" if file.read(_HEADER)[126:] == b"IM" else ">"
        while len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}2I", tag)
            end = file.tell() + length
            pieces = _pieces(file, length)
            elements = _Elements(order)
            for piece in _unpacked(pieces) if kind == _COMPRESSED else chain([tag], pieces):
                total += len(piece)
                if total > MAX_BYTES or end > size:
                    message = f"damaged MATLAB file, or one of more than {MAX_BYTES:,} bytes"
                    raise ModelError(message)
                elements.feed(piece)
            file.seek(end)


class _Elements:
    """Elements that pass by in pieces: on one of a kind that does not exist, scipy crashes."""

    def __init__(self, order: str) -> None:
        self._tag = struct.Struct(f"{order}2I")
        self._rest, self._skip, self._flags = b"", 0, False

    def feed(self, piece: bytes) -> None:
        """Check the tags that begin in the next piece, or before it."""
        data, at = self._rest + piece[self._skip :], 0
        self._skip = max(0, self._skip - len(piece))
        while len(data) - at >= self._tag.size:
            at += self._tag.size + self._span(*self._tag.unpack_from(data, at))
        self._rest, self._skip = data[at:], self._skip + max(0, at - len(data))

    def _span(self, kind: int, length: int) -> int:
        """How many bytes of this element to pass over; those of a matrix are elements."""
        small = kind > _SMALL
        is_known = (kind & _SMALL) in _VALUES if small else kind in (*_VALUES, _MATRIX)
        if not is_known or (self._flags and (kind, length) != _ARRAY_FLAGS):
            raise ModelError("damaged MATLAB file: an element of no known kind")
        self._flags = kind == _MATRIX and length > 0
        return 0 if small or kind == _MATRIX else length + -length % 8


def _pieces(file: Any, length: int) -> Iterator[bytes]:
    while length > 0 and (piece := file.read(min(length, _STEP))):
        length -= len(piece)
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj()
    try:
        for piece in pieces:
            yield stream.decompress(piece, _STEP)
            while stream.unconsumed_tail:
                yield stream.decompress(stream.unconsumed_tail, _STEP)
    except zlib.error:
        raise ModelError("damaged MATLAB file: a compressed part is broken") from None
