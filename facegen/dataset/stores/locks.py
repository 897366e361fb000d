"""Locks on stretches of a data set's shards: the system frees those of a process that ends."""

import fcntl
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from facegen.errors import DatasetError, FacegenError

GUARD = 1 << 40  # the byte whose lock lets a process rewrite the notes
MAX_NOTES = 1 << 20
TRIES = 100
_NOTE = re.compile(r"(\d{1,12}) (\d{1,12}) (\d{1,9}) (\S{1,253})")


class Note(NamedTuple):
    """Who took the lock of shards start to stop."""

    start: int
    stop: int
    pid: int
    host: str

    def overlaps(self, start: int, stop: int) -> bool:
        """Whether it speaks of some of these shards."""
        return self.start < stop and start < self.stop


@contextmanager
def locked(path: Path, start: int, stop: int, where: str) -> Iterator[None]:
    """Hold shards `start` to `stop`; DatasetError names the process that holds some of them.

    The lock is on bytes of the file at `path`, in which each holder leaves a note, and which goes
    with the last of them.
    """
    with _held(path, start, stop, where) as file:
        _rewrite(file, Note(start, stop, os.getpid(), platform.node() or "this machine"))
        try:
            yield
        finally:
            _rewrite(file, Note(start, stop, 0, ""))
            _remove(file, path)


def _held(path: Path, start: int, stop: int, where: str) -> FileIO:
    """The file of that name, open and locked."""
    for _ in range(TRIES):
        file = _opened(path)
        try:
            _lock(file, start, stop, where)
        except BaseException:
            file.close()
            raise
        if _is_at(file, path):
            return file
        file.close()  # Its last holder removed it before we had it.
    raise DatasetError(f"{path}: goes again and again", "use another --out")


def _lock(file: FileIO, start: int, stop: int, where: str) -> None:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, stop - start, start)
    except (BlockingIOError, PermissionError):
        message = f"{where}: {_holder(file, start, stop)} is at work on these shards"
        raise DatasetError(message, "wait for it, or use another --out") from None
    except OSError as error:
        message = f"{where}: this file system has no locks ({error.strerror or error})"
        raise DatasetError(message, "use another --out, or one by URL") from None


def _is_at(file: FileIO, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _remove(file: FileIO, path: Path) -> None:
    """Remove the file unless another holds a part of it."""
    with suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _opened(path: Path) -> FileIO:
    """The file, made if need be; it is written to, so links are not followed."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        return FileIO(descriptor, "r+b")
    except OSError as error:
        raise FacegenError(f"{path}: {error.strerror}", "give a folder to write to") from None


def _holder(file: FileIO, start: int, stop: int) -> str:
    """The process whose note is of shards that are locked; a dead one's are not."""
    for note in _notes(file):
        if note.overlaps(start, stop) and _is_held(file, note):
            return f"process {note.pid} on {note.host}"
    return "another run"


def _is_held(file: FileIO, note: Note) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, note.stop - note.start, note.start)
    except OSError:
        return True
    fcntl.lockf(file, fcntl.LOCK_UN, note.stop - note.start, note.start)
    return False


def _rewrite(file: FileIO, own: Note) -> None:
    """Put our note, if it names us, in place of those of the same shards, whose holders are gone.

    It is a courtesy: a full disk does not stop the work for it.
    """
    with suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_EX, 1, GUARD)
        others = [note for note in _notes(file) if not note.overlaps(own.start, own.stop)]
        lines = [" ".join(map(str, note)) for note in [*others, own] if note.host]
        file.seek(0)
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.truncate()
    with suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_UN, 1, GUARD)


def _notes(file: FileIO) -> list[Note]:
    file.seek(0)
    text = (file.read(MAX_NOTES) or b"").decode("ascii", "replace")
    found = (_NOTE.fullmatch(line) for line in text.splitlines())
    notes = (Note(int(m[1]), int(m[2]), int(m[3]), m[4]) for m in found if m)
    return [note for note in notes if note.start < note.stop]
