"""Samples <-> tar members. A shard appears whole, or not at all."""

import hashlib
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, located

KEY_DIGITS = 10
BLOCK = 512
MAX_MEMBER = 1 << 30
MAX_NAME = 99
END = b"\0" * (2 * BLOCK)
_TEMPLATE = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)


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


def read_samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of a shard in order, as (key, members by suffix)."""
    key = ""
    members: dict[str, bytes] = {}
    with located(path), _reading(), tarfile.open(path, "r:") as tar:
        for info in tar:
            stem, _, suffix = info.name.partition(".")
            if not info.isreg() or not suffix or info.size > MAX_MEMBER:
                raise DatasetError(f"{info.name!r} is not a member of a sample")
            if members and stem != key:
                yield key, members
                members = {}
            key = stem
            file = tar.extractfile(info)
            members[suffix] = file.read() if file else b""
    if members:
        yield key, members


def sample_offsets(path: Path) -> list[int]:
    """Where each sample of a shard begins, and where the last ends; no data is read."""
    offsets, key = [0], ""
    with located(path), _reading(), path.open("rb") as file:
        while (block := file.read(BLOCK)).strip(b"\0"):
            name, size, _ = parse_header(block)
            stem = name.partition(".")[0]
            if key and stem != key:
                offsets.append(file.tell() - BLOCK)
            key = stem
            file.seek(size + -size % BLOCK, os.SEEK_CUR)
        if len(block) < BLOCK:
            raise DatasetError("the shard is cut off")
        return [*offsets, file.tell() - BLOCK] if key else []


def parse_sample(data: bytes) -> tuple[str, dict[str, bytes]]:
    """A sample from the bytes that a shard holds it as: (key, members by suffix)."""
    key, members, position = "", {}, 0
    while position < len(data):
        name, size, _ = parse_header(data[position : position + BLOCK])
        key, _, suffix = name.partition(".")
        position += BLOCK
        members[suffix] = data[position : position + size]
        if len(members[suffix]) < size:
            raise DatasetError("the shard is cut off")
        position += size + -size % BLOCK
    return key, members


def parse_header(block: bytes) -> tuple[str, int, bool]:
    """Name, size and whether it is a file, of a tar's header; folders and notes (PAX) are not."""
    try:
        name = block[: block.index(b"\0", 0, 101)].decode("ascii")
        size = int(block[124:135], 8)
    except ValueError:
        raise DatasetError("not a readable tar") from None
    kind = block[156:157]
    if block[257:262] != b"ustar" or kind not in b"\x000xg5" or not 0 <= size <= MAX_MEMBER:
        raise DatasetError("not a plain tar", "pack it with tar --format=ustar")
    return name.removeprefix("./"), size, kind in b"\x000"


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"not a readable tar: {error}") from None
