"""Temporary files of one data set by URL, in a folder that is the same for every run of it."""

import fcntl
import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from facegen.dataset.stores.store import LOCK
from facegen.errors import DatasetError
from facegen.files import temporary_path


class Scratch:
    """Files that are locked while their process lives: those of dead ones are removed at the start.

    DatasetError where the folder cannot be made, or is not this user's alone.
    """

    def __init__(self, where: str) -> None:
        name = f"facegen-{os.getuid()}-{hashlib.sha256(where.encode()).hexdigest()[:16]}"
        self.folder = Path(tempfile.gettempdir()) / name
        self._held: dict[Path, int] = {}
        self.enter()
        self._clear()

    def enter(self) -> None:
        """Make the folder if it is not there."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            found = self.folder.lstat()
        except OSError as error:
            raise DatasetError(f"{self.folder}: {error.strerror}", _HINT) from None
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise DatasetError(f"{self.folder}: belongs to another user", _HINT)

    def new(self, name: str) -> Path:
        """An empty file of its own, for what is to have this name."""
        self.enter()
        path = temporary_path(self.folder / name)
        try:
            self._held[path] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._held[path], fcntl.LOCK_EX)
        except OSError as error:
            raise DatasetError(f"{path}: {error.strerror}", _HINT) from None
        return path

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)
        if path in self._held:
            os.close(self._held.pop(path))

    def leave(self) -> None:
        """Remove the folder, if nothing is in it."""
        with suppress(OSError):
            self.folder.rmdir()

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.name != LOCK and not _is_locked(path):
                path.unlink(missing_ok=True)


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


_HINT = "set TMPDIR to a folder of your own"
