"""HDF5 files of strangers: numbers and texts of the file itself, of bounded size."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from facegen.errors import FacegenError

MAX_VALUES = 400_000_000
MAX_TEXT = 10_000_000
MAX_PACKED = 1100  # what is stored unpacks a thousandfold at the most, by deflate
SMALL = 1 << 20
MAX_TEXTS_AT_ONCE = 1 << 27
SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def opened(path: Path, refusal: type[FacegenError], hint: str = "") -> Iterator[h5py.File]:
    """The file, open for reading; what is wrong with it, there or in the block, is a `refusal`."""
    try:
        path.stat()
        if not h5py.is_hdf5(path):
            raise FacegenError("not an HDF5 file")
        with h5py.File(path, "r") as file:
            yield file
    except refusal:
        raise
    except FacegenError as error:
        raise refusal(error.message, error.hint or hint) from None
    except MemoryError:
        raise refusal("too large for this machine's memory", hint) from None
    except Exception as error:  # A damaged file can raise anything at all in h5py.
        message = getattr(error, "strerror", None) or f"damaged HDF5 file: {error}"
        raise refusal(" ".join(str(message).split()), hint) from None


def names(file: h5py.Group, key: str) -> bool:
    """Whether there is anything of that name, be it a link out of the file."""
    return file.get(key, getlink=True) is not None


def has(file: h5py.Group, key: str) -> bool:
    """Whether the key exists in the file itself: links, perhaps out of it, are not followed."""
    steps = accumulate(key.split("/"), "{}/{}".format)
    return all(isinstance(file.get(step, getlink=True), h5py.HardLink) for step in steps)


def numbers(file: h5py.Group, key: str) -> NDArray[Any]:
    """A data set of numbers, whole; FacegenError if it is none, or claims what is not stored."""
    data = _dataset(file, key)
    if data.dtype.kind not in "fiub":
        raise FacegenError(f"/{key} holds {data.dtype}, not numbers")
    if data.size > MAX_VALUES:
        raise FacegenError(f"/{key} has {data.size:,} values, more than {MAX_VALUES:,}")
    return np.asarray(data[()])


def text(file: h5py.Group, key: str) -> str:
    """A text, stored as a scalar or as an array of one element."""
    data = _dataset(file, key)
    if data.size != 1:
        raise FacegenError(f"/{key} is not one text of at most {MAX_TEXT:,} bytes")
    return _texts(data, key, MAX_TEXT)[0]


def texts(file: h5py.Group, key: str, longest: int) -> list[str]:
    """A column of texts in UTF-8; FacegenError where one has more than `longest` bytes."""
    data = _dataset(file, key)
    if data.ndim != 1:
        raise FacegenError(f"/{key} is {data.shape}, not one text a row")
    return _texts(data, key, longest)


def attribute(node: h5py.Group, name: str) -> str | float | None:
    """An attribute that is one text or one number; None where there is none of that name."""
    if name not in node.attrs:
        return None
    stored = node.attrs.get_id(name)
    is_text = h5py.check_string_dtype(stored.dtype) is not None
    if stored.shape not in ((), (1,)) or not (is_text or stored.dtype.kind in "fiub"):
        raise FacegenError(f"the attribute {name} is neither one text nor one number")
    value = np.asarray(node.attrs[name]).reshape(-1)[0]
    if not is_text:
        return float(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else _whole(str(value))


def _whole(text: str) -> str:
    """The text without what is no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _dataset(file: h5py.Group, key: str) -> h5py.Dataset:
    data = file[key] if has(file, key) else None
    if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
        raise FacegenError(f"/{key} is missing, or no array of the file itself")
    chunk = data.dtype.itemsize * int(np.prod(data.chunks or 0, dtype=object))
    if max(data.nbytes, chunk) > max(MAX_PACKED * data.id.get_storage_size(), SMALL):
        raise FacegenError(f"/{key} claims more values, {data.size:,}, than are stored")
    return data


def _texts(data: h5py.Dataset, key: str, longest: int) -> list[str]:
    """Texts, read so few at once that they take no memory were each as long as it may be.

    Texts of any length are stored apart from their table, which may name one of them a thousand
    times.
    """
    kind = h5py.check_string_dtype(data.dtype)
    if kind is None:
        raise FacegenError(f"/{key} holds {data.dtype}, not texts")
    largest = kind.length or _longest_possible(data)
    step = max(1, MAX_TEXTS_AT_ONCE // max(largest, 1))
    table = data if data.ndim else [data[()]]
    found: list[str] = []
    for start in range(0, max(data.size, 1), step):
        for value in table[start : start + step]:
            encoded = value if isinstance(value, bytes) else str(value).encode()
            if len(encoded) > longest:
                message = f"/{key} in row {len(found)} is {len(encoded):,} bytes long"
                raise FacegenError(f"{message}, more than {longest:,}")
            found.append(_decoded(encoded, key))
    return found


def _decoded(text: bytes, key: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise FacegenError(f"/{key} is not UTF-8") from None


def _longest_possible(data: h5py.Dataset) -> int:
    """The largest of the lengths in the data set's table; of a packed table, the file's size."""
    handle = data.file.id.get_vfd_handle()
    offset, stored = data.id.get_offset(), data.id.get_storage_size()
    if offset is None or not data.size:
        return os.fstat(handle).st_size
    rows = np.frombuffer(os.pread(handle, stored, offset), np.uint8).reshape(data.size, -1)
    # A row is a length in four bytes, then the place of the text.
    return int(np.ascontiguousarray(rows[:, :4]).view("<u4").max())
