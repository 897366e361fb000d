"""HDF5 files of strangers: arrays and texts of the file itself, of bounded size."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from facegen.errors import ModelError

MAX_VALUES = 400_000_000
MAX_TEXT = 10_000_000


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading; what HDF5 finds wrong becomes a ModelError."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        raise ModelError(f"damaged HDF5 file: {' '.join(str(error).split())}") from None


def has(file: h5py.Group, key: str) -> bool:
    """Whether the key exists in the file itself: links, perhaps out of it, are not followed."""
    steps = accumulate(key.split("/"), "{}/{}".format)
    return all(isinstance(file.get(step, getlink=True), h5py.HardLink) for step in steps)


def array(file: h5py.Group, key: str) -> NDArray[Any]:
    """A data set of numbers, whole, none of it stored elsewhere."""
    data = _dataset(file, key)
    if data.dtype.kind not in "fiub":
        raise ModelError(f"/{key} does not hold numbers")
    if data.size > MAX_VALUES:
        raise ModelError(f"/{key} has {data.size:,} values, more than {MAX_VALUES:,}")
    return np.asarray(data[()])


def text(file: h5py.Group, key: str) -> str:
    """A text, stored as a scalar or as an array of one element."""
    data = _dataset(file, key)
    if data.size != 1 or data.id.get_storage_size() > MAX_TEXT or data.dtype.itemsize > MAX_TEXT:
        raise ModelError(f"/{key} is not one text of at most {MAX_TEXT:,} bytes")
    value = np.asarray(data[()]).reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _dataset(file: h5py.Group, key: str) -> h5py.Dataset:
    data = file[key] if has(file, key) else None
    if not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
        raise ModelError(f"/{key} is missing, or no array of the file itself")
    return data
