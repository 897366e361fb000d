"""Pickles of strangers: an unpickler that knows arrays and sparse matrices, and nothing else.

FLAME's files were written under Python 2, by protocol 0, 1 or 2, with chumpy arrays inside, DECA's
with torch tensors. Neither chumpy nor torch is loaded: a stand-in keeps what chumpy's objects hold,
another takes the place of a tensor, whose numbers are not read.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from facegen.errors import ModelError

MAX_BYTES = 1_000_000_000
_OLD = (b"(d", b"}q", b"(c", b"cn", b"cc", b"cs")
MAX_DEPTH = 8
MAX_DENSE = 10_000_000
_SPARSE = ("csc_matrix", "csr_matrix", "coo_matrix", "csc_array", "csr_array", "coo_array")
_SPARSE_ROOMS = ("csc", "csr", "coo", "_csc", "_csr", "_coo")
_TORCH = (
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch.storage", "_load_from_bytes"),
    ("torch", "Size"),
    ("torch", "device"),
)


class Chumpy:
    """Stands for any chumpy object: it keeps the state and does nothing."""

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}


class Tensor:
    """Stands for a torch tensor or its storage: it does nothing and keeps nothing."""

    def __init__(self, *_: object) -> None: ...


def _encode(text: str, encoding: str) -> bytes:
    """What protocol 2 calls to rebuild bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ModelError("holds text in an unexpected encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """What protocol 2 calls to make empty bytes: without arguments, so of no size."""
    return b""


def _set(members: Sequence[Hashable] = ()) -> frozenset[Hashable]:
    """What protocols below 4 call to make a set: chumpy's states hold some, of names."""
    return frozenset(members)


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
        names[(old, "set")] = names[(old, "frozenset")] = _set
    for room, kind in _TORCH:
        names[(room, kind)] = Tensor
    return names | {("collections", "OrderedDict"): OrderedDict}


def _reconstruct(kind: type, base: type, state: object) -> object:
    """What protocols 0 and 1 call to make an empty object, for the classes that are allowed."""
    if base is not object or state is not None or kind not in _EMPTY:
        raise ModelError("makes an object of a kind that is not allowed")
    return object.__new__(kind)


_EMPTY = (Chumpy, *(getattr(scipy.sparse, kind) for kind in _SPARSE))
ALLOWED = _allowed()


class Unpickler(pickle._Unpickler):
    """Admits the names of ALLOWED and refuses every other by name.

    Python's own: the one in C takes memory for as many objects, or bytes, as a file claims.
    """

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[(module, name)]
        except KeyError:
            raise ModelError(
                f"the pickle asks for {module}.{name}, which no face model needs: refused"
            ) from None

    def persistent_load(self, pid: object) -> Any:
        raise ModelError("the pickle refers to objects outside itself: refused")


def recognises(start: bytes) -> bool:
    """Whether a file begins as a pickle: of protocol 2 and above, or as older ones of a table."""
    return start[:1] == b"\x80" or start[:2] in _OLD


def read(path: Path, skip: int = 0) -> Any:
    """What the pickle holds, chumpy objects turned into arrays; `skip` bytes come before it."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"larger than {MAX_BYTES:,} bytes")
    data = path.read_bytes()[skip:]
    try:
        return plain(Unpickler(io.BytesIO(_unix_lines(data)), encoding="latin1").load())
    except ModelError:
        raise
    except Exception as error:  # A damaged pickle can raise anything at all.
        raise ModelError(f"damaged pickle: {type(error).__name__}") from None


def _unix_lines(data: bytes) -> bytes:
    """The bytes as written, where a program of Windows took them for text and ended lines by CRLF.

    Pickles end names by LF alone, so in a sound one not all LF follow a CR.
    """
    ends = data.count(b"\n")
    return data.replace(b"\r\n", b"\n") if ends and ends == data.count(b"\r\n") else data


def plain(value: Any) -> Any:
    """The value, or each value of the dictionary, with chumpy and sparse matrices as arrays.

    NumPy saves a dictionary as an array of one object.
    """
    if isinstance(value, np.ndarray) and value.dtype == object and value.size == 1:
        value = value.reshape(-1)[0]
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
    if value.format == "coo":  # SciPy writes where its coordinates say: making it anew checks them.
        coordinates = (np.asarray(value.row, np.int64), np.asarray(value.col, np.int64))
        value = scipy.sparse.coo_matrix((np.asarray(value.data), coordinates), value.shape)
    else:
        value.check_format(full_check=True)
    return value.toarray()
