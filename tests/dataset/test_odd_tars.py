"""Tars of others: odd members and headers are refused in one line, in little memory."""

import io
import tarfile
import tracemalloc
from itertools import pairwise

import pytest
from tars import SAMPLES, write

from facegen.dataset import shards
from facegen.dataset.shards import read_samples
from facegen.errors import DatasetError


@pytest.fixture
def tar(tmp_path):
    path = tmp_path / "train-000000.tar"
    write(path)
    return path


def add(file, name, data=b"", **fields):
    """Add a member with odd fields to an open tar."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    file.addfile(info, io.BytesIO(data))


def odd_tar(path, *members, kind=tarfile.USTAR_FORMAT):
    """A tar of members (name, data, fields)."""
    with tarfile.open(path, "w", format=kind) as file:
        for name, data, fields in members:
            add(file, name, data, **fields)
    return path


ODD = {
    "a link": (("0.png", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),),
    "a device": (("0.png", b"", {"type": tarfile.CHRTYPE}),),
    "a member twice": (("0.png", b"a", {}), ("0.png", b"b", {})),
    "so many members": tuple((f"0.{i}", b"", {}) for i in range(100)),
    "another name in a note": (("0.png", b"a", {"pax_headers": {"path": "1.png"}}),),
    "another size in a note": (("0.png", b"a", {"pax_headers": {"size": "9"}}),),
    "a sparse map": (("0.png", b"abc", {"pax_headers": {"GNU.sparse.map": "x,y"}}),),
    "a sparse file": (("0.png", b"abc", {"pax_headers": {"GNU.sparse.major": "1"}}),),
    "a name that is not ASCII": (("0.png\u00e9", b"a", {}),),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_members_are_refused_in_one_line(kind, tmp_path):
    path = odd_tar(tmp_path / "a.tar", *ODD[kind], kind=tarfile.PAX_FORMAT)
    with pytest.raises(DatasetError, match=r"a\.tar") as caught:
        list(read_samples(path))
    assert "\n" not in str(caught.value)


def changed_header(tar, start, field):
    """The tar with a field of its first header replaced, the checksum brought into agreement."""
    data = bytearray(tar.read_bytes())
    data[start : start + len(field)] = field
    data[148:156] = b"        "
    data[148:155] = b"%06o\0" % sum(data[:512])
    tar.write_bytes(data)


@pytest.mark.parametrize(
    ("start", "field"),
    [
        (124, b"-0000000001\0"),
        (124, b"0o000000017\0"),
        (124, b"1_000000000\0"),
        (124, b"\x80" + bytes(10) + b"\x01"),
        (124, b"77777777777\0"),
        (124, b"not a number"),
        (156, b"S"),
        (156, b"L"),
        (257, b"gnutar"),
    ],
)
def test_odd_headers_are_refused_in_one_line(tar, start, field):
    changed_header(tar, start, field)
    with pytest.raises(DatasetError, match=r"train-000000\.tar: not a (readable|plain) tar"):
        list(read_samples(tar))


def test_a_header_whose_checksum_is_wrong_is_refused(tar):
    data = bytearray(tar.read_bytes())
    data[9] += 1  # 0000000000 becomes 0000000001
    tar.write_bytes(data)
    with pytest.raises(DatasetError, match="checksum"):
        list(read_samples(tar))


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_that_tarfile_packed_is_read_the_same(tmp_path, kind):
    members = [(f"./{key}.{suffix}", data, {"mtime": 1.5 if kind == tarfile.PAX_FORMAT else 1})
               for key, sample in SAMPLES.items() for suffix, data in sample.items()]  # fmt: skip
    folder_of_them = ("./", b"", {"type": tarfile.DIRTYPE})
    path = odd_tar(tmp_path / "a.tar", folder_of_them, *members, kind=kind)
    assert dict(read_samples(path)) == SAMPLES
    offsets, data = shards.sample_offsets(path), path.read_bytes()
    read = [shards.parse_sample(data[a:b]) for a, b in pairwise(offsets)]
    assert dict(read) == SAMPLES


def test_many_thousand_samples_take_the_memory_of_one(tmp_path):
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        for i in range(20_000):
            file.write(shards.sample_bytes(shards.sample_key(i), {"cls": b""}))
        file.write(shards.END)
    tracemalloc.start()
    assert sum(1 for _ in read_samples(path)) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000
