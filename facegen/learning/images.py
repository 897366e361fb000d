"""Images on their way into a network: decoded, and cropped as the recipe's are."""

import codecs
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from facegen.dataset.encoding import PILLOW_FORMATS, STORED_FORMATS, decoding
from facegen.dataset.shards import read_samples
from facegen.errors import UsageError
from facegen.files import Array, name_in_words, text_of
from facegen.recipe.recipe import CameraPrior
from facegen.rendering.pictures import (
    PictureError,
    find_pictures,
    opened,
    read_picture,
    upright_rgb,
)

Read = Callable[[], bytes]

LARGEST_CROP = 8


@dataclass(frozen=True)
class Framing:
    """How a box of landmarks becomes a square image: the means of a recipe's crop.

    scale: the square's side / the box's longer side; shift: of its centre, in the same unit.
    """

    size: int
    scale: float
    shift: float

    def square(self, points: Float32[Array, "P 2"]) -> tuple[float, float, float]:
        """Points u, v -> the square's left, top and side in pixels."""
        low, high = points.min(axis=0), points.max(axis=0)
        side = float((high - low).max())
        left, top = (low + high) / 2 + side * (self.shift - self.scale / 2)
        return float(left), float(top), side * self.scale


def framing_of(camera: CameraPrior, size: int) -> Framing:
    """The framing that a recipe's crop has on average."""
    return Framing(size, camera.scale.mean, camera.shift.mean)


def decode_into(pixels: UInt8[Array, "H W 3"], data: bytes) -> None:
    """Fill pixels from an encoded image of just that size."""
    with decoding("image"), Image.open(BytesIO(data), formats=STORED_FORMATS) as image:
        if image.size != (pixels.shape[1], pixels.shape[0]):
            raise PictureError(f"is {image.size}, not {pixels.shape[1::-1]} pixels")
        plain = image if image.mode == "RGB" else image.convert("RGB")
        # Quicker than np.asarray, which goes by way of a second copy.
        pixels[:] = np.frombuffer(plain.tobytes(), np.uint8).reshape(pixels.shape)


def decode(
    data: bytes, framing: Framing, points: Float32[Array, "P 2"] | None
) -> UInt8[Array, "S S 3"]:
    """An encoded image cropped to its landmarks or box, else to its middle."""
    with opened(data) as image:
        upright = upright_rgb(image)
        square = _middle(upright) if points is None else framing.square(points)
        return np.asarray(_cut(upright, square, framing.size))


def find_images(paths: Sequence[Path], note: Callable[[str], object]) -> Iterator[tuple[str, Read]]:
    """(key, a function that reads it) of every image named: files, folders, lists, shards.

    An image's key is its path in the folder or as the list has it, a file's name, a sample's key.
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
            yield key, read


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


def _middle(image: Image.Image) -> tuple[float, float, float]:
    side = min(image.size)
    return (image.width - side) / 2, (image.height - side) / 2, side


def _cut(image: Image.Image, square: tuple[float, float, float], size: int) -> Image.Image:
    """A square of the image, black where it reaches past it, resampled to size pixels."""
    left, top, side = square
    if square == (0, 0, size) and image.size == (size, size):
        return image
    inside = left < image.width and top < image.height and left + side > 0 and top + side > 0
    if not inside or side > LARGEST_CROP * max(image.size):
        raise PictureError("its landmarks or box lie outside of it")
    x, y = int(np.floor(left)), int(np.floor(top))
    end = int(np.ceil(max(left - x, top - y) + side))
    part = image.crop((x, y, x + end, y + end))
    box = (left - x, top - y, left - x + side, top - y + side)
    return part.resize((size, size), Image.Resampling.BICUBIC, box)
