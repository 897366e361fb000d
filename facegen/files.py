"""Files: hashes, written whole or not at all, the user's folders, and the data of the package."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import numpy as np
import platformdirs

from facegen.errors import FacegenError, located

Array: TypeAlias = np.ndarray

PARTIAL = ".partial"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with located(path):
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FacegenError(error.strerror or str(error)) from None


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`: it takes that name when the block ends well, else is removed.

    The bytes reach the disk before the name does. OSErrors are the caller's to explain.
    """
    temporary = temporary_path(path)
    try:
        yield temporary
        commit(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """A name of its own beside `path`; a run that was killed leaves files that end in PARTIAL."""
    return path.with_name(f"{path.name}.{uuid4().hex[:8]}{PARTIAL}")


def commit(temporary: Path, path: Path) -> None:
    """Flush a finished file to disk and give it its name."""
    _flush(temporary)
    temporary.replace(path)
    _flush(path.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; FacegenError says why it cannot be."""
    make_folder(path.parent)
    try:
        with written_whole(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        message = f"{error.filename or path}: {error.strerror or error}"
        raise FacegenError(message, "free some space, or write elsewhere") from None


def make_folder(folder: Path) -> None:
    """Make a folder if it is not there; FacegenError says why it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder}: {error.strerror or error}"
        raise FacegenError(message, "choose another folder to write to") from None


def data_folder() -> Path:
    """Where the user's imported models lie; FacegenError where the user has no home."""
    try:
        return platformdirs.user_data_path("facegen")
    except RuntimeError:
        raise FacegenError("there is no home folder", "set HOME or XDG_DATA_HOME") from None


def cache_folder() -> Path:
    """Where what can be made again is kept: the first of `cache_folders`."""
    for folder in cache_folders():
        return folder
    raise FacegenError("no folder to cache in", "set XDG_CACHE_HOME to one that is writable")


def cache_folders() -> Iterator[Path]:
    """The user's cache, and a private folder among the temporary ones; those that can be had."""
    with suppress(RuntimeError):
        if _is_own(folder := platformdirs.user_cache_path("facegen")):
            yield folder
    if _is_own(folder := temporary_cache()):
        yield folder


def cache_notes() -> tuple[str, ...]:
    """What a user should know of a cache that cannot be written."""
    folder = next(cache_folders(), None)
    if folder is None:
        words = "nothing can be kept: every start compiles kernels and reads the model again"
    elif folder == temporary_cache():
        words = f"the user's cache cannot be written: {folder} takes its place"
    else:
        return ()
    return (f"{words}; set XDG_CACHE_HOME to a folder that is writable",)


def temporary_cache() -> Path:
    """The folder that takes the place of a cache that cannot be written."""
    return Path(tempfile.gettempdir()) / f"facegen-{os.getuid()}"


def _is_own(folder: Path) -> bool:
    """Whether the folder is there, or can be made, and is this user's alone to write."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat() if folder == temporary_cache() else folder.stat()
    except OSError:
        return False
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return own and os.access(folder, os.W_OK)


def package_data(name: str) -> Path:
    """The folder 'recipes' or 'morphable_models': in the installed package, or in a checkout."""
    package = Path(str(files("facegen")))
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
