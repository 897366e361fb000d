"""A folder of this machine, and locks that a dead process does not keep."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from facegen.errors import DatasetError, FacegenError
from facegen.stores import LOCK, PARTIAL

_MEND = "mend it, and run the same command again to go on"


class FolderStore:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def names(self) -> dict[str, int]:
        if not self._folder.is_dir():
            return {}
        with self._touching(), os.scandir(self._folder) as entries:
            return {e.name: e.stat().st_size for e in entries if e.is_file(follow_symlinks=False)}

    def read(self, name: str) -> bytes:
        with self._touching():
            return (self._folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        made = self.scratch(name)
        with self._touching():
            try:
                with made.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                self.publish(made, name)
            except BaseException:
                with suppress(OSError):
                    made.unlink()
                raise

    def scratch(self, name: str) -> Path:
        """Beside its place, under a partial name of its own."""
        return self._folder / f"{name}.{uuid4().hex[:8]}{PARTIAL}"

    def publish(self, made: Path, name: str) -> None:
        made.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        yield self._folder / name

    def remove(self, name: str) -> None:
        with self._touching():
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def claim(self, first: int, last: int) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / LOCK).open("ab")
        except OSError as error:
            raise FacegenError(
                f"--out {self.where}: {error.strerror or error}", "give a folder to write to"
            ) from None
        with file:
            lock(file, first, last, self.where)
            yield

    @contextmanager
    def _touching(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = error.filename or self.where
            raise DatasetError(f"{where}: {error.strerror or error}", _MEND) from None


def write_file(path: Path, data: bytes) -> None:
    """Write a file of any folder, whole or not at all; FacegenError says why it cannot be."""
    make_folder(path.parent)
    FolderStore(path.parent).write(path.name, data)


def make_folder(folder: Path) -> None:
    """Make a folder if it is not there; FacegenError says why it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fact = f"{folder}: {error.strerror or error}"
        raise FacegenError(fact, "give another place to write to") from None


def lock(file: Any, first: int, last: int, where: str) -> None:
    """Lock bytes `first` to `last` (not included): the system frees them when this process ends."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, last - first, first)
    except (BlockingIOError, PermissionError):
        raise DatasetError(
            f"{where}: another run is making these shards", "wait for it, or use another --out"
        ) from None
    except OSError as error:
        raise DatasetError(
            f"{where}: this file system has no locks ({error.strerror or error})",
            "use another --out, or one by URL",
        ) from None


@contextmanager
def claim_here(where: str, first: int, last: int) -> Iterator[None]:
    """Hold shards of a place that has no locks against other runs on this machine."""
    name = f"facegen-{os.getuid()}-{hashlib.sha256(where.encode()).hexdigest()[:16]}{LOCK}"
    with (Path(tempfile.gettempdir()) / name).open("ab") as file:
        lock(file, first, last, where)
        yield
