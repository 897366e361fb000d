"""Where a data set lies: a folder, or a URL. Files appear whole, or not at all."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

LOCK = ".lock"


class Store(Protocol):
    """A flat folder of files, wherever it is; `where` is its path or URL."""

    where: str

    def names(self) -> dict[str, int]:
        """The files by name, with their sizes in bytes."""
        ...

    def read(self, name: str) -> bytes:
        """A small file's bytes."""
        ...

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """The bytes of a file from start to stop, fewer where it ends before."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a small file there."""
        ...

    def temporary_path(self, name: str) -> Path:
        """A local path on which to make a file that is to have this name."""
        ...

    def commit(self, temporary: Path, name: str) -> None:
        """Give a file made on a temporary path its name."""
        ...

    def discard(self, temporary: Path) -> None:
        """Remove a file made on a temporary path, if it is there."""
        ...

    def local(self, name: str) -> AbstractContextManager[Path]:
        """A context with a local path that holds the file."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def lock(self, start: int, stop: int) -> AbstractContextManager[None]:
        """A context that holds shards `start` to `stop` for this run alone."""
        ...
