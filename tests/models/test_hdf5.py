"""HDF5 files of strangers: what is not in the file is refused, before memory is taken."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from facegen.errors import FacegenError, ModelError
from facegen.models import hdf5

SMALL_FILE = 200_000
TEXT = h5py.string_dtype("utf-8")
MEMORY = 300_000_000


def read(path, what):
    """What a function makes of the file."""
    with hdf5.opened(path, ModelError) as file:
        return what(file)


def refusal(path, what):
    with pytest.raises(ModelError) as caught:
        read(path, what)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def numbers(file):
    return hdf5.numbers(file, "x")


def texts(file):
    return hdf5.texts(file, "x", 4096)


def write(path, fill):
    with h5py.File(path, "w", libver="latest") as file:
        fill(file)
    return path


def unallocated(file):
    file.create_dataset("x", (10**8,), "f4", chunks=(1024,))


def filled(file):
    file.create_dataset("x", (10**8,), "f4", chunks=(1024,), fillvalue=1)


def wide_chunk(file):
    data = file.create_dataset("x", (8,), "f4", maxshape=(None,), chunks=(10**8,))
    assert data.chunks == (10**8,)


def wide_text(file):
    file.create_dataset("x", (4,), "S100000000", chunks=(1,))


CLAIMS = [unallocated, filled, wide_chunk]


@pytest.mark.parametrize("fill", CLAIMS, ids=lambda fill: fill.__name__)
def test_a_small_file_that_claims_much_is_refused(fill, tmp_path):
    path = write(tmp_path / "m.h5", fill)
    assert path.stat().st_size < SMALL_FILE
    assert "claims more values" in refusal(path, numbers)


def test_texts_that_claim_much_are_refused(tmp_path):
    path = write(tmp_path / "m.h5", wide_text)
    assert "claims more values" in refusal(path, texts)


def with_one_text_for_all(path, rows, length, **options):
    """A table of texts, each of which points to the first."""

    def fill(file):
        data = file.create_dataset("x", (rows,), TEXT, **options)
        data[:] = ["x" * length] + ["y"] * (rows - 1)
        return data.id.get_offset() or data.id.get_chunk_info(0).byte_offset

    with h5py.File(path, "w") as file:
        start = fill(file)
    with path.open("r+b") as file:
        file.seek(start)
        first = file.read(16)
        file.seek(start)
        file.write(first * rows)
    return path


@pytest.mark.parametrize("options", [{}, {"chunks": (1000,)}], ids=["whole", "in chunks"])
def test_a_thousand_names_for_one_long_text_take_no_memory(options, tmp_path):
    path = with_one_text_for_all(tmp_path / "m.h5", 1000, 1_000_000, **options)
    code = (
        "from pathlib import Path; from facegen.models import hdf5\n"
        "from facegen.errors import ModelError\n"
        "status = Path('/proc/self/status')\n"
        "def peak(): return int(status.read_text().split('VmHWM:')[1].split()[0])\n"
        "before = peak()\n"
        "try:\n"
        f"    with hdf5.opened(Path({str(path)!r}), ModelError) as file:\n"
        "        hdf5.texts(file, 'x', 4096)\n"
        "except ModelError as error: print(error)\n"
        "print(peak() - before)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    message, kilobytes = run.stdout.splitlines()
    assert "/x in row 0 is 1,000,000 bytes long, more than 4,096" in message
    assert int(kilobytes) * 1024 < MEMORY


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (3,)}, {"chunks": (3,), "compression": "gzip"}], ids=str
)
@pytest.mark.parametrize("kind", [TEXT, "S9", h5py.string_dtype("ascii"), h5py.string_dtype()])
def test_texts_of_any_layout_are_read(options, kind, tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "MAX_TEXTS_AT_ONCE", 20)  # so few that they come by and by
    values = [f"key {i}" for i in range(7)]
    path = tmp_path / "m.h5"
    write(path, lambda file: file.create_dataset("x", data=values, dtype=kind, **options))
    assert read(path, texts) == values


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([b"\xff"]), "UTF-8"),
        (np.arange(3), "not texts"),
        (np.array(["a"], object), None),
        (np.array([b"a" * 5000]), "5,000 bytes long"),
        (np.array([[b"a"]]), "not one text a row"),
    ],
)
def test_texts_that_are_none_are_refused(value, message, tmp_path):
    path = write(tmp_path / "m.h5", lambda file: file.create_dataset("x", data=value))
    if message is None:
        assert read(path, texts) == ["a"]
    else:
        assert message in refusal(path, texts)


def reference(file):
    file["y"] = 1
    file["x"] = np.array([file["y"].ref], h5py.ref_dtype)


def virtual(file):
    layout = h5py.VirtualLayout((10**8,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (10**8,))
    file.create_virtual_dataset("x", layout)


KINDS = {
    "references": reference,
    "a virtual data set": virtual,
    "texts": lambda file: file.create_dataset("x", data=["a"]),
    "a compound": lambda file: file.create_dataset("x", data=np.zeros(3, "f4,i4")),
    "an array type": lambda file: file.create_dataset("x", (1,), np.dtype(("f4", (3,)))),
    "complex numbers": lambda file: file.create_dataset("x", data=np.zeros(3, complex)),
    "a group": lambda file: file.create_group("x"),
    "a type": lambda file: file.__setitem__("x", np.dtype("f4")),
    "nothing": lambda file: None,
    "an external link": lambda file: file.__setitem__("x", h5py.ExternalLink("y.h5", "/x")),
    "a soft link": lambda file: file.__setitem__("x", h5py.SoftLink("/y")),
    "lists of any length": lambda file: file.create_dataset("x", (2,), h5py.vlen_dtype("f4")),
    "a null space": lambda file: file.create_dataset("x", data=h5py.Empty("f4")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_are_no_numbers_in_the_file_is_refused(kind, tmp_path):
    path = write(tmp_path / "m.h5", KINDS[kind])
    refusal(path, numbers)


def test_a_filter_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.arange(999.0), compression="gzip")
    data = path.read_bytes()
    # The deflate filter's number (1), in the message of filters, becomes one that nobody has.
    name = data.index(b"deflate")
    start = data.rfind(b"\x01\x00", 0, name)
    path.write_bytes(data[:start] + b"\xff\x7e" + data[start + 2 :])
    assert "damaged HDF5 file" in refusal(path, numbers)


def attribute(file):
    return hdf5.attribute(file, "x")


@pytest.mark.parametrize(
    "value",
    [np.arange(3), np.zeros(2, "f4,i4"), h5py.Empty("f4"), np.array(["a", "b"], "S"), np.array(1j)],
    ids=repr,
)
def test_odd_attributes_are_refused(value, tmp_path):
    path = write(tmp_path / "m.h5", lambda file: file.attrs.create("x", value))
    assert "neither one text nor one number" in refusal(path, attribute)


@pytest.mark.parametrize(
    ("value", "found"),
    [(7, 7.0), (np.bool_(True), 1.0), (np.array([7], ">i8"), 7.0), ("é", "é"), (b"a", "a"),
     (np.array(["é"], TEXT), "é"), (np.array(b"\xff"), "\ufffd")],
)  # fmt: skip
def test_an_attribute_is_one_text_or_one_number(value, found, tmp_path):
    path = write(tmp_path / "m.h5", lambda file: file.attrs.create("x", value))
    assert read(path, attribute) == found


def test_an_attribute_of_references_is_refused(tmp_path):
    path = tmp_path / "m.h5"
    write(path, lambda file: file.attrs.create("x", file.ref, dtype=h5py.ref_dtype))
    assert "neither one text" in refusal(path, attribute)


def test_what_goes_wrong_in_the_block_is_the_files_fault(tmp_path):
    path = write(tmp_path / "m.h5", lambda file: None)

    def fail(error):
        def raising(_):
            raise error

        return raising

    assert "memory" in refusal(path, fail(MemoryError()))
    assert "damaged HDF5 file: two lines" in refusal(path, fail(OSError("two\nlines")))
    assert refusal(path, fail(FacegenError("mine", "mend"))) == "mine; mend"
