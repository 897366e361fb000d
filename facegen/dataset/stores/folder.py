"""A folder of this machine, and locks that a dead process does not keep."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from facegen import files
from facegen.dataset.stores.store import LOCK
from facegen.errors import DatasetError, FacegenError

_HINT = "fix that, and run the same command again to continue"


class FolderStore:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def names(self) -> dict[str, int]:
        if not self._folder.is_dir():
            return {}
        with self._explained(), os.scandir(self._folder) as entries:
            return {e.name: e.stat().st_size for e in entries if e.is_file(follow_symlinks=False)}

    def read(self, name: str) -> bytes:
        with self._explained():
            return (self._folder / name).read_bytes()

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        with self._explained(), (self._folder / name).open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(stop - start)

    def write(self, name: str, data: bytes) -> None:
        with self._explained(), files.written_whole(self._folder / name) as temporary:
            temporary.write_bytes(data)

    def temporary_path(self, name: str) -> Path:
        """Beside its final place."""
        return files.temporary_path(self._folder / name)

    def commit(self, temporary: Path, name: str) -> None:
        files.commit(temporary, self._folder / name)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        yield self._folder / name

    def remove(self, name: str) -> None:
        with self._explained():
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self, start: int, stop: int) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / LOCK).open("ab")
        except OSError as error:
            raise FacegenError(
                f"--out {self.where}: {error.strerror or error}", "give a folder to write to"
            ) from None
        with file:
            lock_bytes(file, start, stop, self.where)
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename or self.where
            raise DatasetError(f"{place}: {error.strerror or error}", _HINT) from None


def lock_bytes(file: BinaryIO, start: int, stop: int, where: str) -> None:
    """Lock bytes `start` to `stop`: the system frees them when this process ends."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, stop - start, start)
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
def locked_here(where: str, start: int, stop: int) -> Iterator[None]:
    """Hold shards of a place that has no locks against other runs on this machine."""
    name = f"facegen-{os.getuid()}-{hashlib.sha256(where.encode()).hexdigest()[:16]}{LOCK}"
    with (Path(tempfile.gettempdir()) / name).open("ab") as file:
        lock_bytes(file, start, stop, where)
        yield
