"""Ways to spoil a user's files: bytes, tables and the contents of HDF5 files."""

import copy
import json
from contextlib import suppress

import h5py
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


@st.composite
def spoilt(draw, data):
    """Bytes with a few places overwritten, cut out, repeated or filled in, most near the ends."""
    for _ in range(draw(st.integers(1, 4))):
        last = max(len(data) - 1, 0)
        near = st.integers(0, min(last, 600)) | st.integers(max(0, last - 1500), last)
        at = draw(near | st.integers(0, last))
        span = draw(st.integers(0, 16) | st.sampled_from([64, 512, 1024]))
        new = draw(st.binary(max_size=12) | st.sampled_from(NASTY_BYTES))
        how = draw(st.sampled_from(["over", "over", "over", "cut", "in", "twice", "end"]))
        new = data[at : at + span] if how == "twice" else b"" if how in ("cut", "end") else new
        gone = {"over": len(new), "cut": span, "end": len(data)}.get(how, 0)
        data = data[:at] + new + data[at + gone :]
    return data


NASTY_BYTES = (b"\0", b"\xff" * 8, b"\x7f\xff\xff\xff", b"\x80" + bytes(7), b"-1", b"9" * 20,
               b"nan", b"1e999", b"\n", b"\xff\xfe", b"0" * 12, b"-0000001000\0")  # fmt: skip
NORMAL = {"distribution": "normal", "mean": 0, "sd": 1}
NASTY = (0, -1, 1, 2**31, 2**63, 2**64, 10**18, 10**400, 1e308, -1e308, 1e30, 9.9e29, 5e-324,
         float("nan"), float("inf"), True, "", "\0", "\0.h5", "a\nb", "../x.toml",
         "resnet101", [], {}, [[]], [{}], NORMAL)  # fmt: skip
ODD = (
    st.sampled_from(NASTY)
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.lists(st.integers() | st.text(max_size=3), max_size=3)
)


@st.composite
def altered(draw, table, odd=ODD):
    """A table with a few values, at any depth, replaced, removed or put under another key."""
    table = copy.deepcopy(table)
    for _ in range(draw(st.integers(1, 3))):
        node, key = draw_place(draw, table)
        old = node.pop(key)
        how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename"]))
        if how == "rename" and isinstance(node, dict):
            node[draw(st.sampled_from([*table, "0", "distribution", "a\nb"]))] = old
        elif how != "remove" and isinstance(node, list):
            node.insert(key, copy.deepcopy(draw(odd)))
        elif how != "remove":
            node[key] = copy.deepcopy(draw(odd))
        table = table or {"": 0}
    return table


def draw_place(draw, table):
    """A container somewhere in the table, and one of its keys."""
    node = table
    while True:
        key = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        below = node[key]
        if not isinstance(below, dict | list) or not below or not draw(st.integers(0, 3)):
            return node, key
        node = below


def toml(value):
    """A value as TOML, tables inline."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{toml(key)} = {toml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return hex(value)
    return str(value).lower()


def document(table):
    """A table as a TOML file."""
    return "".join(f"{toml(key)} = {toml(value)}\n" for key, value in table.items()).encode()


KINDS = ["f2", "f4", "f8", ">f8", "i1", "i8", "u8", "?", "c8", "S3"]
ARRAYS = st.sampled_from(KINDS).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0, max_side=12))
)
SHAPES = st.lists(st.sampled_from([1, 3, 45, 10**5, 10**9]), min_size=1, max_size=3)
NODES = st.one_of(
    st.tuples(st.just("array"), ARRAYS),
    st.tuples(st.just("texts"), st.lists(st.text(max_size=5) | st.binary(max_size=5), max_size=4)),
    st.tuples(st.just("claim"), SHAPES),
    st.tuples(st.just("link"), st.sampled_from(["/", "/theta", "/nowhere", "/shape"])),
    st.tuples(st.just("group"), st.none()),
    st.tuples(st.just("nothing"), st.none()),
)


def put(path, key, kind, value):
    """Put something else where an HDF5 file has a data set, a group or an attribute ('/@name')."""
    with h5py.File(path, "r+") as file, suppress(KeyError, ValueError, OSError, TypeError):
        room, _, name = key.rpartition("@")
        place = file[room].attrs if name else file
        name = name or key
        if name in place:
            del place[name]
        if kind == "array" or (kind == "texts" and room):
            place[name] = np.array(value, object).astype("S") if kind == "texts" else value
        elif room or kind == "nothing":
            return
        elif kind == "texts":
            texts = [v if isinstance(v, bytes) else v.replace("\0", "") for v in value]
            file.create_dataset(name, data=texts, dtype=h5py.string_dtype(), shape=(len(texts),))
        elif kind == "claim":
            chunks = tuple(min(side, 16) for side in value)
            file.create_dataset(name, value, "f4", chunks=chunks)
        else:
            place[name] = h5py.SoftLink(value) if kind == "link" else file.create_group(f"{name}~")


def keys_of(path):
    """Every key of an HDF5 file, attributes as 'group@name'."""
    keys = []
    with h5py.File(path) as file:
        file.visititems(
            lambda name, node: keys.extend([name, *(f"{name}@{a}" for a in node.attrs)])
        )
        return [*keys, *(f"/@{name}" for name in file.attrs)]
