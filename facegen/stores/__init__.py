"""Where a data set lies: a folder, or a URL. Files appear whole, or not at all."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

PARTIAL = ".partial"
LOCK = ".lock"


class Store(Protocol):
    """A flat folder of files, wherever it is."""

    where: str

    def names(self) -> dict[str, int]:
        """The files by name, with their sizes in bytes."""
        ...

    def read(self, name: str) -> bytes:
        """A small file's bytes."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a small file there."""
        ...

    def scratch(self, name: str) -> Path:
        """A local path on which to make a file that is to have this name."""
        ...

    def publish(self, made: Path, name: str) -> None:
        """Give a file made on a scratch path, flushed to disk, its name."""
        ...

    def local(self, name: str) -> AbstractContextManager[Path]:
        """A context with a local path that holds the file."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def claim(self, first: int, last: int) -> AbstractContextManager[None]:
        """A context that holds shards `first` to `last` (not included) for this run alone."""
        ...


def open_store(where: str) -> Store:
    """The store of a path or a URL."""
    if "://" in where:
        from facegen.stores.url import UrlStore

        return UrlStore(where)
    from facegen.stores.folder import FolderStore

    return FolderStore(Path(where))
