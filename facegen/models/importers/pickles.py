"""Pickles of strangers: an unpickler that knows arrays and sparse matrices, and nothing else.

FLAME's files were written under Python 2 with chumpy arrays inside; chumpy itself is never loaded:
a stand-in keeps what its objects hold.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from facegen.errors import ModelError

MAX_BYTES = 1_000_000_000
MAX_DEPTH = 8
MAX_DENSE = 10_000_000
_SPARSE = ("csc_matrix", "csr_matrix", "coo_matrix", "csc_array", "csr_array", "coo_array")
_SPARSE_ROOMS = ("csc", "csr", "coo", "_csc", "_csr", "_coo")


class Chumpy:
    """Stands for any chumpy object: it keeps the state and does nothing."""

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}


def _encode(text: str, encoding: str) -> bytes:
    """What protocol 2 calls to rebuild bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ModelError("holds text in an unexpected encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """What protocol 2 calls to make empty bytes: without arguments, so of no size."""
    return b""


def _numpy_names() -> dict[tuple[str, str], Any]:
    make = np.empty(0).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    frombuffer = np.empty(1).__reduce_ex__(5)[0]
    rooms = [f"numpy.{core}.multiarray" for core in ("core", "_core")]
    names: dict[tuple[str, str], Any] = {("numpy", "ndarray"): np.ndarray}
    names[("numpy", "dtype")] = np.dtype
    for room in rooms:
        names[(room, "_reconstruct")], names[(room, "scalar")] = make, scalar
    for room in ("numpy.core.numeric", "numpy._core.numeric"):
        names[(room, "_frombuffer")] = frombuffer
    return names


def _allowed() -> dict[tuple[str, str], Any]:
    names = _numpy_names() | {("_codecs", "encode"): _encode}
    for kind in _SPARSE:
        for room in ("scipy.sparse", *(f"scipy.sparse.{r}" for r in _SPARSE_ROOMS)):
            names[(room, kind)] = getattr(scipy.sparse, kind)
    for room, kind in (("ch", "Ch"), ("reordering", "Select")):
        names[(f"chumpy.{room}", kind)] = Chumpy
    for old in ("copy_reg", "copyreg"):
        names[(old, "_reconstructor")] = _reconstruct
    for old in ("__builtin__", "builtins"):
        names[(old, "object")] = object
        names[(old, "bytes")] = _no_bytes
    return names


def _reconstruct(kind: type, base: type, state: object) -> object:
    """copyreg's way to make an empty object, for the classes that are allowed."""
    if base is not object or state is not None or kind is not Chumpy:
        raise ModelError("makes an object of a kind that is not allowed")
    return Chumpy()


ALLOWED = _allowed()


class Unpickler(pickle.Unpickler):
    """Admits the names of ALLOWED and refuses every other by name."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[(module, name)]
        except KeyError:
            raise ModelError(
                f"the pickle asks for {module}.{name}, which no face model needs: refused"
            ) from None

    def persistent_load(self, pid: object) -> Any:
        raise ModelError("the pickle refers to objects outside itself: refused")


def read(path: Path, skip: int = 0) -> Any:
    """What the pickle holds, chumpy objects turned into arrays; `skip` bytes come before it."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    data = io.BytesIO(path.read_bytes()[skip:])
    try:
        return plain(Unpickler(data, encoding="latin1").load())
    except ModelError:
        raise
    except Exception as error:  # A damaged pickle can raise anything at all.
        raise ModelError(f"damaged pickle: {type(error).__name__}") from None


def plain(value: Any) -> Any:
    """The value, or each value of the dictionary, with chumpy and sparse matrices as arrays."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return _plain(value)


def _plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, Chumpy):
        return _array_of(value, depth + 1)
    return _dense(value) if scipy.sparse.issparse(value) else value


def _array_of(value: Chumpy, depth: int) -> Any:
    """A chumpy array's `x`; of a selection, the elements `idxs` of `a` in `preferred_shape`."""
    state = getattr(value, "state", {})
    if depth > MAX_DEPTH:
        raise ModelError("chumpy objects nested deeper than a face model's")
    if "x" in state:
        return np.asarray(_plain(state["x"], depth))
    if "a" in state and "idxs" in state:
        source = np.asarray(_plain(state["a"], depth)).reshape(-1)
        picked = source[np.asarray(state["idxs"], np.int64)]
        return picked.reshape(state.get("preferred_shape") or picked.shape)
    raise ModelError("a chumpy object holds no numbers")


def _dense(value: Any) -> Any:
    if len(value.shape) != 2 or value.shape[0] * value.shape[1] > MAX_DENSE:
        raise ModelError(f"a sparse matrix of {value.shape} is larger than a face model's")
    if hasattr(value, "check_format"):
        value.check_format(full_check=True)
    return value.toarray()
