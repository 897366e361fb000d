"""Files: hashes, text and numbers read from those of others, written whole or not at all."""

import codecs
import hashlib
import io
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import ENOTDIR
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import numpy as np

from facegen.errors import FacegenError, UsageError, located

Array: TypeAlias = np.ndarray

PARTIAL = ".partial"
_ELSEWHERE = "give another file to write to"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with located(path):
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FacegenError(error.strerror or str(error)) from None


def name_in_words(name: str) -> str:
    """A file's name as UTF-8, whatever bytes it is made of on disk: 'M\\xfcller.png'."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_text(path: Path, most: int) -> str:
    """A text file of at most so many bytes, in any encoding that `text_of` knows.

    FacegenError says why it cannot be read.
    """
    return text_of(read_bytes(path, most))


def text_of(data: bytes) -> str:
    """Text in UTF-8, UTF-16 or UTF-32, with a byte order mark or without, else in Latin-1."""
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32"}
    marks |= {codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"}
    marks |= {codecs.BOM_UTF16_BE: "utf-16"}
    guesses = [name for mark, name in marks.items() if data.startswith(mark)][:1]
    zeros = (data[:1] == b"\0", data[1:2] == b"\0")
    guesses += [{(False, True): "utf-16-le", (True, False): "utf-16-be"}.get(zeros, "utf-8")]
    for encoding in guesses:
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("latin-1")


def read_npy(path: Path, most: int) -> Array:
    """An .npy file of plain numbers, of at most so many bytes; nothing in it is executed.

    FacegenError says why it cannot be read.
    """
    data = io.BytesIO(read_bytes(path, most))
    try:
        version = np.lib.format.read_magic(data)
        read = np.lib.format.read_array_header_1_0
        shape, _, dtype = (read if version == (1, 0) else np.lib.format.read_array_header_2_0)(data)
    except Exception as error:  # NumPy parses the header as Python: it can raise anything.
        raise FacegenError(f"not an .npy file: {type(error).__name__}") from None
    size = math.prod(int(length) for length in shape) * dtype.itemsize
    left = len(data.getvalue()) - data.tell()
    if dtype.kind not in "fiub" or min(shape, default=0) < 0 or size > left:
        raise FacegenError(f"holds {dtype} {shape}, which are not numbers that are there")
    data.seek(0)
    return np.lib.format.read_array(data, allow_pickle=False)


def read_bytes(path: Path, most: int) -> bytes:
    """A file of at most so many bytes; FacegenError says why it cannot be read."""
    try:
        if path.stat().st_size > most:
            raise FacegenError(f"larger than {most:,} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise FacegenError(getattr(error, "strerror", None) or str(error)) from None


def check_output(option: str, path: Path, kind: bytes, inputs: Iterable[Path | None]) -> None:
    """Refuse, before the work for it begins, a file that could not or should not be written.

    A file that is there must begin as its `kind` does, and be none of the inputs; UsageError.
    """
    with located(f"{option} {name_in_words(str(path))!r}"):
        try:
            if not path.name or path.is_dir():
                raise UsageError("names no file to write")
            if any(given is not None and _is_same(path, given) for given in inputs):
                raise UsageError("is read as well", "write to another file")
            if path.exists() and not _begins(path, kind):
                raise UsageError("is a file of another kind, which it would replace", _ELSEWHERE)
            _make(path.parent)
            temporary = temporary_path(path)
            temporary.touch(exist_ok=False)
            temporary.unlink()
        except (OSError, ValueError) as error:
            message = getattr(error, "strerror", None) or str(error)
            raise UsageError(message, _ELSEWHERE) from None


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False


def _begins(path: Path, kind: bytes) -> bool:
    with path.open("rb") as file:
        start = file.read(len(kind))
    return start.lower() == kind.lower() or not start


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
        _make(folder)
    except OSError as error:
        message = f"{folder}: {error.strerror or error}"
        raise FacegenError(message, "choose another folder to write to") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(folder)) from None


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
