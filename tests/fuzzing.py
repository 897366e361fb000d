"""What fuzzing needs: readers of a user's files in a process of their own, and ways to spoil files.

A crash, a hang or a hunger for memory ends that process alone, and is a fact like any other.
"""

import copy
import io
import json
import multiprocessing
import resource
import tarfile
import traceback
import warnings
from collections import Counter, defaultdict
from contextlib import suppress
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facegen import estimates, model_formats, opened, recipe, sampling, shards
from facegen.errors import FacegenError
from facegen.model_formats import basel, importing, landmarks
from facegen.parameters import layout_of
from facegen.plan import splits_of
from facegen.shards.stream import stream_samples
from facegen.stores import open_store

SECONDS, SECONDS_TO_START = 20, 120
MEMORY = 12 << 30
LIBHDF5, DIED = "crashes of libhdf5 itself", "the process died"
MEMBERS = ("png", "theta.npy", "json", "")


def sampled(path):
    """A recipe that is read is refused, or gives finite theta, cameras and colours."""
    chosen = recipe.load(str(path))
    if chosen.model != "generic":
        model_formats.digest(model_formats.find(chosen.model))
    sampling.check_camera(chosen.camera, 250.0)
    people = chosen.identities
    count = min(people.total, 9) if people else 9
    splits_of(chosen, count)
    source, indices = sampling.source_of(chosen, layout_of(5, 4, 3)), np.arange(count)
    distance, crop = sampling.sample_cameras(chosen.camera, 1, indices)
    colours = sampling.sample_colours(chosen, 1, indices, 3)
    for drawn in (source.theta(1, indices), distance, crop.scale, crop.shift, colours):
        assert np.isfinite(drawn).all()


def landmarks_of(path):
    """Landmarks for a mesh of a hundred vertices."""
    landmarks.read(path, np.eye(100, 3, dtype=np.float32), np.zeros((9, 3), np.int32))


def points(path):
    """The landmarks or boxes that `facegen estimate` takes."""
    from facegen.learning import pictures

    pictures.read_points(path)


def picture(path):
    """A photograph on its way into a network."""
    from facegen.learning import pictures

    pictures.decode(path.read_bytes(), pictures.Framing(32, 1.2, 0.0), None)


def checkpoint(path):
    """A network with its facts."""
    from facegen.learning import checkpoint

    checkpoint.load(path)


def h5py_alone(path):
    """All that h5py can read of a file: what dies here dies in libhdf5, beyond our mending."""
    with h5py.File(path) as file:
        nodes = [file]
        file.visititems(lambda name, node: nodes.append(node))
        for node in nodes:
            attributes = [partial(node.attrs.get, name) for name in node.attrs]
            for read in (*attributes, partial(value, node)):
                with suppress(Exception):
                    read()


def value(node):
    """A data set's values; a group has none."""
    return node[()] if isinstance(node, h5py.Dataset) else None


READERS = {
    "recipe": sampled,
    "estimates": estimates.read,
    "model": basel.load,
    "foreign model": importing.read,
    "landmarks": landmarks_of,
    "tar": lambda path: list(shards.read_samples(path)),
    "streamed tar": lambda path: list(stream_samples([path], MEMBERS, None)),
    "shard report": lambda path: shards.read_report(open_store(str(path.parent)), path.stem),
    "dataset.json": lambda path: opened.read_job(open_store(str(path.parent))),
    "points": points,
    "picture": picture,
    "checkpoint": checkpoint,
    LIBHDF5: h5py_alone,
}


def outcome(read, *words):
    """'read', 'refused' for a FacegenError of one line, or what else came of it."""
    try:
        read(*words)
    except FacegenError as error:
        line = str(error)
        return "refused" if len(line.splitlines()) == 1 else f"not one line: {line!r}"
    except BaseException:
        return traceback.format_exc()
    return "read"


def serve(pipe):
    """Read what is asked for, a warning being an error, until nobody asks."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import facegen.learning.checkpoint
    import facegen.learning.pictures  # noqa: F401

    warnings.simplefilter("error")
    pipe.send("ready")
    while True:
        name, path = pipe.recv()
        pipe.send(outcome(READERS[name], Path(path)))


class Sandbox:
    """A process that reads files, replaced when it dies; and a count of what came of them."""

    def __init__(self, folder):
        self.folder = folder
        self.counts = defaultdict(Counter)
        self.process = self.pipe = None

    def check(self, reader, data, name="file"):
        """Bytes, or the file of that name, are read or refused in one line and in time."""
        path = self.folder / name
        if data is not None:
            path.write_bytes(data)
        said = self.ask(reader, path)
        if said == DIED and h5py.is_hdf5(path) and self.ask(LIBHDF5, path) == DIED:
            said = LIBHDF5
        self.note(reader, said)

    def note(self, reader, said):
        """Count what came of an input, and stop at what should not."""
        fine = said in ("read", "refused", LIBHDF5)
        self.counts[reader][said if fine else "failed"] += 1
        assert fine, said

    def ask(self, reader, path):
        """What came of reading the file in the other process."""
        if self.process is None:
            self.start()
        try:
            self.pipe.send((reader, str(path)))
            if self.pipe.poll(SECONDS):
                return self.pipe.recv()
            fact = f"no end within {SECONDS} s"
        except (EOFError, OSError):
            fact = DIED
        self.close()
        return fact

    def start(self):
        """A fresh process, ready to read."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        assert self.pipe.poll(SECONDS_TO_START)
        assert self.pipe.recv() == "ready"

    def close(self):
        """End the process, whatever it is at."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
        self.process = None


def write_foreign_shard(path, form):
    """A shard with long names, as other programs pack it."""
    with tarfile.open(path, "w", format=form) as tar:
        for key in range(3):
            info = tarfile.TarInfo(f"{key:0110d}.png")
            info.size, info.mtime = 9, 1.5
            tar.addfile(info, io.BytesIO(b"a picture"))


class Summary:
    """A line for each reader at the end of pytest's report."""

    def __init__(self, counts):
        self.counts = counts

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("fuzzing")
        for reader, outcomes in sorted(self.counts.items()):
            words = ", ".join(f"{count:,} {word}" for word, count in sorted(outcomes.items()))
            terminalreporter.line(f"{reader}: {sum(outcomes.values()):,} inputs: {words}")


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


def places(path):
    """Every key of an HDF5 file, attributes as 'group@name'."""
    found = []
    with h5py.File(path) as file:
        file.visititems(
            lambda name, node: found.extend([name, *(f"{name}@{a}" for a in node.attrs)])
        )
        return [*found, *(f"/@{name}" for name in file.attrs)]
