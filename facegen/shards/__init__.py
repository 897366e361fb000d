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
from facegen.stores import Store

KEY_DIGITS = 10
BLOCK = 512
MAX_MEMBER = 1 << 30
_TEMPLATE = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)


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

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._path = store.scratch(name)
        self._file = self._path.open("wb")
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
        self._store.publish(self._path, self._name)
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


def write_report(store: Store, report: ShardReport) -> None:
    """Say that the shard is done."""
    text = json.dumps(asdict(report), indent=1) + "\n"
    store.write(f"{report.name}.json", text.encode())


def read_report(store: Store, name: str) -> ShardReport:
    """A finished shard's report; DatasetError names the file that is not one."""
    with located(f"{store.where}/{name}.json"):
        try:
            report = ShardReport(**json.loads(store.read(f"{name}.json")))
            return check_report(report, name)
        except (ValueError, TypeError, RecursionError) as error:
            fact = f"not a shard report: {error}"
            raise DatasetError(fact, "remove it to make the shard again") from None


def check_report(report: ShardReport, name: str) -> ShardReport:
    """The report, if its fields are what they should be; ValueError says which is not."""
    kinds = {"start": int, "stop": int, "bytes": int, "sha256": str, "digest": str, "device": str}
    for field, kind in {"name": str, **kinds, "seconds": dict}.items():
        if type(getattr(report, field)) is not kind:
            raise ValueError(f"{field} is not {kind.__name__}")
    if report.name != name or not 0 <= report.start < report.stop:
        raise ValueError("it speaks of another shard")
    return report


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"not a readable tar: {error}") from None
