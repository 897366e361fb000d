"""An object store by its URL (s3://, gs://, any that fsspec knows): made here, uploaded whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from facegen.dataset.stores.locks import locked
from facegen.dataset.stores.scratch import Scratch
from facegen.dataset.stores.store import LOCK
from facegen.errors import DatasetError, FacegenError


class UrlStore:
    """A prefix of an object store; shards are made in a temporary folder and uploaded."""

    def __init__(self, url: str) -> None:
        self.where = url.rstrip("/")
        with self._explained():
            fsspec = _fsspec()
            self._files, self._root = fsspec.core.url_to_fs(self.where)

    def names(self) -> dict[str, int]:
        with self._explained():
            self._files.invalidate_cache()
            try:
                entries = self._files.ls(self._root, detail=True)
            except FileNotFoundError:
                return {}
        files = [entry for entry in entries if entry["type"] == "file"]
        return {entry["name"].rsplit("/", 1)[-1]: int(entry["size"]) for entry in files}

    def read(self, name: str) -> bytes:
        with self._explained():
            return bytes(self._files.cat_file(self._path(name)))

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        with self._explained():
            return bytes(self._files.cat_file(self._path(name), start=start, end=stop))

    def write(self, name: str, data: bytes) -> None:
        with self._explained():
            self._files.pipe_file(self._path(name), data)

    def temporary_path(self, name: str) -> Path:
        return self._scratch.new(name)

    def commit(self, temporary: Path, name: str) -> None:
        with self._explained():
            self._files.put_file(str(temporary), self._path(name))
        self._scratch.remove(temporary)

    def discard(self, temporary: Path) -> None:
        self._scratch.remove(temporary)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        path = self._scratch.new(name)
        try:
            with self._explained():
                self._files.get_file(self._path(name), str(path))
            yield path
        finally:
            self._scratch.remove(path)

    def remove(self, name: str) -> None:
        with self._explained():
            if self._files.exists(self._path(name)):
                self._files.rm_file(self._path(name))

    @contextmanager
    def lock(self, start: int, stop: int) -> Iterator[None]:
        """Against other runs on this machine: stores have no locks."""
        if "file" in self._files.protocol:
            with self._explained():
                self._files.makedirs(self._root, exist_ok=True)
        with locked(self._scratch.folder / LOCK, start, stop, self.where):
            yield
        self._scratch.leave()

    @cached_property
    def _scratch(self) -> Scratch:
        return Scratch(self.where)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except FacegenError:
            raise
        except Exception as error:
            message = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise DatasetError(
                f"{self.where}: {message}", "check the URL and its credentials"
            ) from None


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise FacegenError(
            "a URL as --out needs fsspec", "pip install 'facegen[s3]' or the store's own package"
        ) from None
    return fsspec
