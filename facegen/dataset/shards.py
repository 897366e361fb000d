"""Samples <-> tar members. A shard appears whole, or not at all."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, NamedTuple

from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, located

Encoded = tuple[str, Mapping[str, bytes]]

KEY_DIGITS = 10
BLOCK = 512
MAX_MEMBER = 1 << 30
MAX_NAME = 99
END = b"\0" * (2 * BLOCK)
_TEMPLATE = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)


class Header(NamedTuple):
    """A member's header: its name, where its data begins, bytes; folders, PAX notes are no file."""

    name: str
    data: int
    size: int
    is_file: bool

    @property
    def stop(self) -> int:
        """Where the next header begins."""
        return self.data + self.size + -self.size % BLOCK


class ShardWriter:
    """An open shard: samples are appended to a temporary file, hashed as they pass."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._path = store.temporary_path(name)
        self._file = self._path.open("wb")
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, key: str, members: Mapping[str, bytes]) -> None:
        """Append one sample: its members as key.suffix, in the order of their names."""
        self._append(sample_bytes(key, members))

    def commit(self) -> tuple[int, str]:
        """End the tar, bring it to disk and give it its name -> (bytes, sha256)."""
        self._append(END)
        self._file.close()
        self._store.commit(self._path, self._name)
        return self._bytes, self._hash.hexdigest()

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)


@contextmanager
def open_shard(store: Store, name: str) -> Iterator[ShardWriter]:
    """A writer that leaves nothing behind unless it was committed."""
    writer = ShardWriter(store, name)
    try:
        yield writer
    except BaseException:
        writer.discard()
        raise


def sample_bytes(key: str, members: Mapping[str, bytes]) -> bytes:
    """A sample as a shard holds it: a header, the data and padding for each member, by name."""
    pieces: list[bytes] = []
    for suffix in sorted(members):
        data = members[suffix]
        pieces += (_header(f"{key}.{suffix}", len(data)), data, b"\0" * (-len(data) % BLOCK))
    return b"".join(pieces)


def _header(name: str, size: int) -> bytes:
    """A USTAR header that holds nothing but name and size: no time, no owner."""
    if len(name) > MAX_NAME or not name.isascii():
        raise DatasetError(f"{name!r} cannot be the name of a member")
    block = bytearray(_TEMPLATE)
    block[: len(name)] = name.encode("ascii")
    block[124:135] = b"%011o" % size
    # The checksum is the sum of the block's bytes with its own field read as eight spaces.
    block[148:155] = b"%06o\0" % (sum(block) + 8 * ord(" ") - sum(block[148:156]))
    return bytes(block)


def sample_key(index: int) -> str:
    """The sample's key: its zero-padded global index."""
    return f"{index:0{KEY_DIGITS}d}"


def read_samples(path: Path) -> Iterator[Encoded]:
    """The samples of a shard in order, as (key, members by suffix)."""
    return by_sample(_members(path))


def by_sample(members: Iterable[tuple[str, bytes | None]]) -> Iterator[Encoded]:
    """Members, (name, data) in the order of a shard, as samples; those without data are left."""
    for key, group in groupby(members, lambda member: member[0].partition(".")[0]):
        sample = {name.partition(".")[2]: data for name, data in group if data is not None}
        if sample:
            yield key, sample


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with located(path), _reading(), tarfile.open(path, "r:") as tar:
        for info in tar:
            if not info.isreg() or not info.name.partition(".")[2] or info.size > MAX_MEMBER:
                raise DatasetError(f"{info.name!r} is not a member of a sample")
            file = tar.extractfile(info)
            yield info.name, file.read() if file else b""


def sample_offsets(path: Path) -> list[int]:
    """Where each sample of a shard begins, and where the last ends; no data is read."""
    offsets, key, stop = [0], "", 0
    with located(path), _reading(), path.open("rb") as file:
        for header in read_headers(file):
            stem = header.name.partition(".")[0]
            if key and stem != key:
                offsets.append(header.data - BLOCK)
            key, stop = stem, header.stop
    return [*offsets, stop] if key else []


def read_headers(file: BinaryIO) -> Iterator[Header]:
    """The headers of an open tar in order; the file stands at the data of each as it is given."""
    position = 0
    while (block := file.read(BLOCK)).strip(b"\0"):
        header = parse_header(block, position)
        yield header
        position = header.stop
        file.seek(position)
    if len(block) < BLOCK:
        raise DatasetError("the shard is cut off")


def parse_sample(data: bytes) -> tuple[str, dict[str, bytes]]:
    """A sample from the bytes that a shard holds it as: (key, members by suffix)."""
    key, members, position = "", {}, 0
    while position < len(data):
        header = parse_header(data[position : position + BLOCK], position)
        key, _, suffix = header.name.partition(".")
        members[suffix] = data[header.data : header.data + header.size]
        if len(members[suffix]) < header.size:
            raise DatasetError("the shard is cut off")
        position = header.stop
    return key, members


def parse_header(block: bytes, position: int) -> Header:
    """The header in a block of a plain tar that lies at this position."""
    try:
        name = block[: block.index(b"\0", 0, 101)].decode("ascii")
        size = int(block[124:135], 8)
    except ValueError:
        raise DatasetError("not a readable tar") from None
    kind = block[156:157]
    if block[257:262] != b"ustar" or kind not in b"\x000xg5" or not 0 <= size <= MAX_MEMBER:
        raise DatasetError("not a plain tar", "pack it with tar --format=ustar")
    return Header(name.removeprefix("./"), position + BLOCK, size, kind in b"\x000")


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"not a readable tar: {error}") from None
