"""Folders: the user's data, the cache or what takes its place, and what the package brings."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import platformdirs

from facegen.errors import FacegenError


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
