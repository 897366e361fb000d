"""How kernels are compiled, and where machine code is kept from run to run.

numba itself notices a change in a kernel's own file only, and a kernel holds the machine code of
those it calls. So the folder of the cache is named by a hash of all kernels' files.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba

from facegen.files import cache_folder

KEPT_FOLDERS = 4
_config: Any = numba.config


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: numba.njit without the interpreter's lock, cached under the sources' hash."""

    def decorate(function: Callable[..., Any]) -> Any:
        with _cached_in(kernel_folder()):
            return numba.njit(nogil=True, cache=True, **options)(function)

    return decorate


@cache
def kernel_folder() -> Path:
    """The folder of machine code made from these sources, by this numba, for this CPU."""
    base = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder() / "kernels")
    folder = base / f"facegen-{fingerprint(Path(__file__).parent)}"
    if not folder.exists():
        _remove_oldest(base)
    return folder


def fingerprint(sources: Path) -> str:
    """A hash of the Python files in a folder, numba's version, and the CPU and its features."""
    digest = hashlib.sha256()
    for path in sorted(sources.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    features = llvmlite.binding.get_host_cpu_features().flatten()
    cpu = (numba.__version__, llvmlite.binding.get_host_cpu_name(), features)
    digest.update("\0".join(cpu).encode())
    return digest.hexdigest()[:16]


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
