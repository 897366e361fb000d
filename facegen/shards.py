"""Samples <-> tar members: the only room that knows tar. A shard appears whole, or not at all."""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from facegen.errors import DatasetError, located

PARTIAL = ".partial"
KEY_DIGITS = 10
BLOCK = 512
MAX_MEMBER = 1 << 30
_TEMPLATE = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)


@dataclass(frozen=True)
class Shard:
    """Samples start to stop of a data set, in one tar."""

    split: str
    number: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The tar's name without its suffix."""
        return f"{self.split}-{self.number:06d}"

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class ShardReport:
    """What is known of a finished shard; its file is written last, so done means it exists."""

    name: str
    start: int
    stop: int
    bytes: int
    sha256: str
    digest: str
    device: str
    seconds: Mapping[str, float]

    @property
    def samples(self) -> int:
        return self.stop - self.start


class ShardWriter:
    """An open shard: samples are appended to a partial file, hashed as they pass."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _partial(path).open("wb")
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, key: str, members: Mapping[str, bytes]) -> None:
        """Append one sample: its members as key.suffix, in the order of their names."""
        for suffix in sorted(members):
            data = members[suffix]
            padding = b"\0" * (-len(data) % BLOCK)
            self._append(b"".join((header(f"{key}.{suffix}", len(data)), data, padding)))

    def commit(self) -> tuple[int, str]:
        """End the tar, bring it to disk and give it its name -> (bytes, sha256)."""
        self._append(b"\0" * (2 * BLOCK))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        _partial(self._path).replace(self._path)
        return self._bytes, self._hash.hexdigest()

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._file.close()
        _partial(self._path).unlink(missing_ok=True)

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)


@contextmanager
def open_shard(path: Path) -> Iterator[ShardWriter]:
    """A writer that leaves nothing behind unless it was committed."""
    writer = ShardWriter(path)
    try:
        yield writer
    except BaseException:
        writer.discard()
        raise


def header(name: str, size: int) -> bytes:
    """A USTAR header that holds nothing but name and size: no time, no owner."""
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


def write_report(folder: Path, report: ShardReport) -> None:
    """Say that the shard is done."""
    write_atomically(folder / f"{report.name}.json", json.dumps(asdict(report), indent=1) + "\n")


def read_report(path: Path) -> ShardReport:
    """A finished shard's report; DatasetError names the file that is not one."""
    with located(path):
        try:
            table = json.loads(path.read_bytes())
            return ShardReport(**table)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise DatasetError(
                f"not a shard report: {error}", "remove it to make it again"
            ) from None


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write a whole file under a partial name, then give it its own."""
    partial = _partial(path)
    try:
        with partial.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"not a readable tar: {error}") from None


def _partial(path: Path) -> Path:
    return path.with_name(path.name + PARTIAL)
