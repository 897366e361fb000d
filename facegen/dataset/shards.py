"""Samples <-> tar members. A shard appears whole, or not at all."""

import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from facegen.dataset.stores.store import Store
from facegen.errors import DatasetError, located

Encoded = tuple[str, Mapping[str, bytes]]
Choice = Callable[[str], bool]

KEY_DIGITS = 10
BLOCK = 512
MAX_MEMBER = 1 << 28
MAX_MEMBERS = 64
MAX_NOTE = 1 << 20
MAX_NAME = 99
READ_AHEAD = 1 << 20
FIELDS = ((124, 136), (148, 156))  # size and checksum, in a header
ADLER = 65521
NOTES = (b"x", b"g")  # PAX: about the next member, about all
NOT_PLAIN = ("not a plain tar", "pack it with tar --format=ustar")
_OCTAL = re.compile(rb" *([0-7]+)[ \0]*")
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
        self._store.discard(self._path)

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)


def every_suffix(suffix: str) -> bool:
    """Want all members."""
    return True


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
    if len(name) > MAX_NAME or not name.isascii() or size > MAX_MEMBER:
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


def read_samples(path: Path, wanted: Choice = every_suffix) -> Iterator[Encoded]:
    """The samples of a shard in order: (key, members by suffix), of the suffixes that are wanted.

    DatasetError says what is wrong with it. It takes the memory of one sample.
    """
    with located(path):
        yield from _by_sample(_members(path, wanted))


def _by_sample(members: Iterable[tuple[str, bytes | None]]) -> Iterator[Encoded]:
    """Members, (name, data) in the order of a shard, as samples; those without data are left."""
    for key, group in groupby(members, lambda member: member[0].partition(".")[0]):
        sample: dict[str, bytes | None] = {}
        for name, data in group:
            _add(sample, name, data)
        held = {suffix: data for suffix, data in sample.items() if data is not None}
        if held:
            yield key, held


def _add(sample: dict[str, Any], name: str, data: bytes | None) -> None:
    suffix = name.partition(".")[2]
    if suffix in sample:
        raise DatasetError(f"holds {name} twice")
    if len(sample) >= MAX_MEMBERS:
        raise DatasetError(f"holds more than {MAX_MEMBERS} members of one sample, as {name}")
    sample[suffix] = data


def _members(path: Path, wanted: Choice) -> Iterator[tuple[str, bytes | None]]:
    """(name, data) of the files in a tar; data only where the suffix is wanted."""
    with _reading(), path.open("rb", buffering=READ_AHEAD) as file:
        for name, _, size, is_file in read_headers(file):
            is_read = is_file and wanted(name.partition(".")[2])
            data = file.read(size) if is_read else None
            if data is not None and len(data) < size:
                raise DatasetError("the shard is cut off")
            if is_file:
                yield name, data


def sample_offsets(path: Path) -> list[int]:
    """Where each sample of a shard begins, and where the last ends; no data is read."""
    offsets, key, stop = [0], "", 0
    with located(path), _reading(), path.open("rb") as file:
        for header in read_headers(file):
            stem = header.name.partition(".")[0]
            if key and header.is_file and stem != key:
                offsets.append(header.data - BLOCK)
            key, stop = stem if header.is_file else key, header.stop
    return [*offsets, stop] if key else []


def read_headers(file: BinaryIO) -> Iterator[Header]:
    """The headers of an open tar in order; the file stands at the data of each as it is given."""
    position = 0
    while (block := file.read(BLOCK)).strip(b"\0"):
        header = parse_header(block, position)
        if block[156:157] in NOTES:
            _check_note(file.read(min(header.size, MAX_NOTE)))
            file.seek(header.data)
        yield header
        position = header.stop
        file.seek(position)
    if len(block) < BLOCK:
        raise DatasetError("the shard is cut off")


def _check_note(note: bytes) -> None:
    """Refuse a note (PAX) that gives a member another name, size or layout than its header."""
    if any(word in note for word in (b" path=", b" size=", b" GNU.sparse.")):
        raise DatasetError(*NOT_PLAIN)


def parse_sample(data: bytes) -> tuple[str, dict[str, bytes]]:
    """A sample from the bytes that a shard holds it as: (key, members by suffix)."""
    members: dict[str, bytes] = {}
    key, position = "", 0
    while position < len(data):
        header = parse_header(data[position : position + BLOCK], position)
        position = header.stop
        if header.is_file:
            key = header.name.partition(".")[0]
            member = data[header.data : header.data + header.size]
            _add(members, header.name, member)
            if len(member) < header.size:
                raise DatasetError("the shard is cut off")
    return key, members


def parse_header(block: bytes, position: int) -> Header:
    """The header in a block of a plain tar that lies at this position."""
    try:
        name = block[: block.index(b"\0", 0, 101)].decode("ascii")
    except ValueError:
        raise DatasetError("not a readable tar") from None
    size, total = (_octal(block[a:b]) for a, b in FIELDS)
    # The checksum is the sum of the block's bytes with its own field read as eight spaces. Half of
    # an Adler-32 is such a sum, plus one, modulo a prime: 40 times as quick as Python's.
    expected = total + sum(block[148:156]) - 8 * ord(" ") + 1
    if zlib.adler32(block) & 0xFFFF != expected % ADLER:
        raise DatasetError("not a readable tar: a header's checksum is wrong")
    kind = block[156:157]
    if block[257:262] != b"ustar" or kind not in b"\x000xg5" or size > MAX_MEMBER:
        raise DatasetError(*NOT_PLAIN)
    return Header(name.removeprefix("./"), position + BLOCK, size, kind in b"\x000")


def _octal(field: bytes) -> int:
    digits = _OCTAL.fullmatch(field)
    if digits is None:
        raise DatasetError("not a readable tar: a header's number is none")
    return int(digits[1], 8)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatasetError(error.strerror or f"not a readable tar: {error}") from None
