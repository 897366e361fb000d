"""Images found: files, folders, lists and shards."""

import codecs
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from facegen.dataset.encoding import PILLOW_FORMATS, STORED_FORMATS, decoding
from facegen.dataset.shards import read_samples
from facegen.errors import UsageError
from facegen.files import Array, name_in_words, text_of
from facegen.rendering.pictures import (
    PictureError,
    find_pictures,
    read_picture,
)

Read = Callable[[], bytes]


def decode_into(pixels: UInt8[Array, "H W 3"], data: bytes) -> None:
    """Fill pixels from an encoded image of just that size."""
    with decoding("image"), Image.open(BytesIO(data), formats=STORED_FORMATS) as image:
        if image.size != (pixels.shape[1], pixels.shape[0]):
            raise PictureError(f"is {image.size}, not {pixels.shape[1::-1]} pixels")
        plain = image if image.mode == "RGB" else image.convert("RGB")
        # Quicker than np.asarray, which goes by way of a second copy.
        pixels[:] = np.frombuffer(plain.tobytes(), np.uint8).reshape(pixels.shape)


@dataclass(frozen=True, eq=False)
class FoundImage:
    """An image that was named; cropped: whether to a face, as those in shards are.

    Its key is its path in the folder or as the list has it, a file's name, a sample's key.
    """

    key: str
    read: Read
    cropped: bool = False


def find_images(paths: Sequence[Path], note: Callable[[str], object]) -> Iterator[FoundImage]:
    """Every image named: files, folders, lists, shards.

    `note` is told of files in folders that are passed over.
    """
    keys: set[str] = set()
    for path in paths:
        for name, read in _images(path, note):
            key = name_in_words(name)
            if key in keys:
                hint = "give one folder or list that tells them apart"
                raise UsageError(f"{path}: a second image with the key {key!r}", hint)
            keys.add(key)
            yield FoundImage(key, read, path.suffix == ".tar" and not path.is_dir())


def _images(path: Path, note: Callable[[str], object]) -> Iterator[tuple[str, Read]]:
    if path.is_dir():
        yield from _in_folder(path, note)
    elif path.suffix == ".tar":
        for key, members in read_samples(path):
            yield key, partial(_member, members)
    elif path.suffix == ".txt":
        yield from ((line, partial(read_picture, _beside(path, line))) for line in _lines(path))
    else:
        yield path.name, partial(read_picture, path)


def _in_folder(folder: Path, note: Callable[[str], object]) -> Iterator[tuple[str, Read]]:
    try:
        found = find_pictures(folder)
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: {error.strerror or error}") from None
    if found.passed_over:
        note(f"{folder}: {found.passed_over}")
    if not found.files:
        raise UsageError(f"{folder}: holds no images by name: jpg, png, webp, tif, …")
    yield from ((name, partial(read_picture, path)) for name, path in found.files.items())


def _member(members: Mapping[str, bytes]) -> bytes:
    for suffix in ("jpeg", *PILLOW_FORMATS):
        if suffix in members:
            return members[suffix]
    raise PictureError("the sample holds no image")


def _lines(path: Path) -> list[str]:
    """The names in a list; bytes that are no UTF-8 stand for the bytes of a file's name."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not a list of images: {error}") from None
    marked = data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = text_of(data) if marked else os.fsdecode(data)
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line and not line.startswith("#")]


def _beside(path: Path, line: str) -> Path:
    """The file that a list names, with either slash."""
    name = path.parent / line
    windows = path.parent / line.replace("\\", "/")
    return windows if "\\" in line and "\0" not in line and not name.exists() else name
