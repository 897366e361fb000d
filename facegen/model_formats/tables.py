"""MATLAB and NumPy archives of strangers as {name: array}, their sizes checked before reading."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from facegen.errors import ModelError
from facegen.model_formats import hdf5

Tables = dict[str, NDArray[Any]]

MAX_BYTES = 2_000_000_000
_HEADER = 128
_COMPRESSED = 15
_STEP = 1 << 22
_BROKEN = (OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, EOFError)


def read_mat(path: Path) -> Tables:
    """The numbers of a .mat file, version 5 or 7.3; fields of structs as 'struct/field'."""
    if h5py.is_hdf5(path):
        return _read_mat73(path)
    _check_mat5(path)
    try:
        loaded = scipy.io.loadmat(path, chars_as_strings=False)
    except (*_BROKEN, zlib.error, scipy.io.matlab.MatReadError, MemoryError) as error:
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
                    found = _member(archive, entry)
                    if found is not None:
                        tables[entry.filename.removesuffix(".npy")] = found
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
    with hdf5.opened(path) as file:
        for name in file:
            if not name.startswith("#") and hdf5.has(file, name):
                tables |= _branch(file, name, depth=0)
    return tables


def _branch(file: h5py.File, key: str, depth: int) -> Tables:
    node = file[key]
    if isinstance(node, h5py.Dataset):
        return {key: hdf5.array(file, key).T} if node.dtype.kind in "fiu" else {}
    tables: Tables = {}
    if depth < 3:
        for name in node:
            if hdf5.has(file, f"{key}/{name}"):
                tables |= _branch(file, f"{key}/{name}", depth + 1)
    return tables


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
    """Refuse a version 5 file whose elements unpack to more than MAX_BYTES."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    total = 0
    with path.open("rb") as file:
        order = "<" if file.read(_HEADER)[126:] == b"IM" else ">"
        while len(tag := file.read(8)) == 8:
            kind, length = (int(n) for n in np.frombuffer(tag, f"{order}u4"))
            end = file.tell() + length
            total += _unpacked(file, length, MAX_BYTES - total) if kind == _COMPRESSED else length
            if total > MAX_BYTES or end > size:
                raise ModelError(f"damaged MATLAB file, or one of more than {MAX_BYTES:,} bytes")
            file.seek(end)


def _unpacked(file: Any, length: int, limit: int) -> int:
    """How many bytes a compressed element has once unpacked, as far as `limit`."""
    stream, total = zlib.decompressobj(), 0
    try:
        while length > 0 and total <= limit:
            piece = file.read(min(length, _STEP))
            length = length - len(piece) if piece else 0
            while piece and total <= limit:
                total += len(stream.decompress(piece, _STEP))
                piece = stream.unconsumed_tail
            if not piece and not length:
                break
    except zlib.error:
        raise ModelError("damaged MATLAB file: a compressed part is broken") from None
    return total
