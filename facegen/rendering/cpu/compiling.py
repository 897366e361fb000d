"""How kernels are compiled, and where machine code is kept from run to run.

numba itself notices a change in a kernel's own file only, and a kernel holds the machine code of
those it calls, and constants. So the folder of the cache is named by a hash of all kernels' files,
in this room and in imaging, and of those whose constants they hold.
"""

import fcntl
import hashlib
import os
import pickle
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import caching
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

import facegen
from facegen.errors import FacegenError
from facegen.files import write_file
from facegen.folders import cache_folders

KEPT_FOLDERS = 4
# Files elsewhere whose constants or named tuples kernels hold.
CONSTANTS = (
    "models/attire.py",
    "models/morphable_model.py",
    "models/wardrobe.py",
    "sampling/scenery.py",
    "scene/cameras.py",
    "scene/lighting.py",
)
_config: Any = numba.config
_FunctionCache: Any = caching.FunctionCache
_DataFile: Any = caching.IndexDataCacheFile


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: numba.njit without the interpreter's lock, cached under the sources' hash."""

    def decorate(function: Callable[..., Any]) -> Any:
        kernel = numba.njit(nogil=True, **options)(function)
        folder = kernel_folder()
        if folder is not None:
            with _cached_in(folder):
                kernel._cache = KernelCache(function, folder)
            kernel.compile = turn_in(folder).kept_until_done(kernel.compile)
        return kernel

    return decorate


class Turn:
    """Which process compiles: one at a time, and those that wait read what it has compiled."""

    def __init__(self, folder: Path) -> None:
        self._path, self._depth, self._file = folder / "turn", 0, -1

    def take(self) -> None:
        """Wait for the turn; a kernel that another calls is compiled in the same one."""
        self._depth += 1
        if self._depth == 1:
            with suppress(OSError):
                self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
                fcntl.flock(self._file, fcntl.LOCK_EX)

    def kept_until_done(self, compilation: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The compilation, which gives back what it has taken when it fails or is interrupted."""

        def attempt(signature: Any) -> Any:
            with global_compiler_lock:
                before = self._depth
                try:
                    return compilation(signature)
                finally:
                    while self._depth > before:
                        self.give()

        return attempt

    def give(self) -> None:
        """The turn is over, with the outermost kernel's."""
        self._depth -= 1
        if self._depth == 0 and self._file >= 0:
            os.close(self._file)
            self._file = -1


class KernelCache(_FunctionCache):  # type: ignore[misc]
    """numba's cache of one kernel; a disk that is full costs a compilation, and no more.

    numba calls these one at a time, whichever thread compiles.
    """

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        super().__init__(function)
        locator, base = self._impl.locator, self._impl.filename_base
        self._cache_file = CheckedFile(self._cache_path, base, locator.get_source_stamp())
        self._turn = turn_in(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled code, or None to have it compiled, while other processes wait for it."""
        found = super().load_overload(sig, target_context)
        if found is None:
            self._turn.take()
            found = super().load_overload(sig, target_context)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code, if the disk allows."""
        with suppress(OSError):
            super().save_overload(sig, data)


class CheckedFile(_DataFile):  # type: ignore[misc]
    """An index and files of machine code, each after its CRC-32."""

    def _load_index(self) -> Any:
        try:
            return super()._load_index()
        except Exception:  # A damaged pickle can raise anything at all.
            return {}

    def _load_data(self, name: str) -> Any:
        data = Path(self._data_path(name)).read_bytes()
        if data[:4] != _checksum(data[4:]):
            raise OSError("damaged")  # numba takes it as missing, and compiles.
        return pickle.loads(data[4:])

    def _save_data(self, name: str, data: Any) -> None:
        packed = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(_checksum(packed) + packed)


@cache
def turn_in(folder: Path) -> Turn:
    """The turn that all kernels of a folder share."""
    return Turn(folder)


@cache
def kernel_folder() -> Path | None:
    """The folder of machine code made from these sources, by this numba, for this CPU.

    None where nothing can be written.
    """
    for base in _bases():
        folder = base / f"facegen-{fingerprint(*sources())}"
        with suppress(OSError):
            if not folder.exists():
                _remove_oldest(base)
                folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return None


def keep(name: str, data: bytes) -> None:
    """Write what kernels found under a name beside them, after its CRC-32, if the disk allows."""
    folder = kernel_folder()
    with suppress(FacegenError):
        if folder is not None:
            write_file(folder / name, _checksum(data) + data)


def recall(name: str) -> bytes | None:
    """What was kept under a name; None where there is none, or not what was written."""
    folder = kernel_folder()
    with suppress(OSError):
        data = (folder / name).read_bytes() if folder else b""
        return data[4:] if data[:4] == _checksum(data[4:]) else None
    return None


def sources() -> tuple[Path, ...]:
    """The folders whose files hold kernels, and what else has constants compiled into them."""
    here, package = Path(__file__).parent, Path(facegen.__file__).parent
    return here, here.parent, package / "imaging", *(package / name for name in CONSTANTS)


def fingerprint(*paths: Path) -> str:
    """A hash of Python files, single or in folders, numba's version, the CPU and its features."""
    digest = hashlib.sha256()
    for number, path in enumerate(paths):
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{number}/{file.name}\0".encode() + file.read_bytes() + b"\0")
    digest.update("\0".join((numba.__version__, *cpu())).encode())
    return digest.hexdigest()[:16]


@cache
def cpu() -> tuple[str, str]:
    """The CPU that numba compiles for, and its features: '+adx,+aes,...'."""
    _, name, features = cpu_target.target_context.codegen().magic_tuple()
    return name, ",".join(sorted(one for one in features.split(",") if one.startswith("+")))


def _bases() -> Iterator[Path]:
    if "NUMBA_CACHE_DIR" in os.environ:
        yield Path(os.environ["NUMBA_CACHE_DIR"])
    yield from (folder / "kernels" for folder in cache_folders())


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


@contextmanager
def _cached_in(folder: Path) -> Iterator[None]:
    """numba looks up its folder when a function is decorated; others' functions keep theirs."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        _config.CACHE_DIR = before


def _remove_oldest(base: Path) -> None:
    """Leave room for one more folder of machine code; those used last stay."""
    with suppress(OSError):
        folders = sorted(base.glob("facegen-*"), key=lambda folder: folder.stat().st_mtime)
        for folder in folders[: -(KEPT_FOLDERS - 1)]:
            shutil.rmtree(folder, ignore_errors=True)
