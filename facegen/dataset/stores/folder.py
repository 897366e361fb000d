"""A folder of this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facegen import files
from facegen.dataset.stores.locks import locked
from facegen.dataset.stores.store import LOCK
from facegen.errors import DatasetError
from facegen.files import make_folder

_HINT = "fix that, and run the same command again to continue"


class FolderStore:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def names(self) -> dict[str, int]:
        names: dict[str, int] = {}
        with self._explained():
            try:
                entries = os.scandir(self._folder)
            except (FileNotFoundError, NotADirectoryError):
                return {}
            with entries:
                for entry in entries:
                    # A file may go while we look: a run beside ours gives its own their names.
                    with suppress(FileNotFoundError):
                        if entry.is_file(follow_symlinks=False):
                            names[entry.name] = entry.stat().st_size
        return names

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

    def discard(self, temporary: Path) -> None:
        temporary.unlink(missing_ok=True)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        yield self._folder / name

    def remove(self, name: str) -> None:
        with self._explained():
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self, start: int, stop: int) -> Iterator[None]:
        make_folder(self._folder)
        with locked(self._folder / LOCK, start, stop, self.where):
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename or self.where
            raise DatasetError(f"{place}: {error.strerror or error}", _HINT) from None
