"""Images on their way into a network: decoded, and cropped as the recipe's are."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from facegen.dataset.encoding import STORED_FORMATS, UNREADABLE
from facegen.dataset.shards import read_samples
from facegen.errors import FacegenError, UsageError, located
from facegen.files import Array
from facegen.models.morphable_model import LANDMARKS
from facegen.recipe.recipe import CameraPrior
from facegen.rendering.image_folder import MAX_PIXELS, SUFFIXES

Read = Callable[[], bytes]

CORNERS = 2
LARGEST_CROP = 8
FARTHEST = 1e6
_HINT_POINTS = "give {key: [x0, y0, x1, y1]} or {key: [[u, v] * 68]} as JSON, or rows of CSV"


class ImageError(FacegenError):
    """An image that cannot be used."""


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
    try:
        with Image.open(BytesIO(data), formats=STORED_FORMATS) as image:
            if image.size != (pixels.shape[1], pixels.shape[0]):
                raise ImageError(f"is {image.size}, not {pixels.shape[1::-1]} pixels")
            plain = image if image.mode == "RGB" else image.convert("RGB")
            # Quicker than np.asarray, which goes by way of a second copy.
            pixels[:] = np.frombuffer(plain.tobytes(), np.uint8).reshape(pixels.shape)
    except UNREADABLE as error:
        raise ImageError(_message(error)) from None


def decode(
    data: bytes, framing: Framing, points: Float32[Array, "P 2"] | None
) -> UInt8[Array, "S S 3"]:
    """An encoded image cropped to its landmarks or box, else to its middle."""
    try:
        with Image.open(BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"more than {MAX_PIXELS:,} pixels")
            upright = ImageOps.exif_transpose(image).convert("RGB")
        square = _middle(upright) if points is None else framing.square(points)
        return np.asarray(_cut(upright, square, framing.size))
    except UNREADABLE as error:
        raise ImageError(_message(error)) from None


def find_images(paths: Sequence[Path]) -> Iterator[tuple[str, Read]]:
    """(key, a function that reads it) of every image named: files, folders, lists, shards.

    An image's key is its path in the folder or as the list has it, a file's name, a sample's key.
    """
    keys: set[str] = set()
    for path in paths:
        for key, read in _images(path):
            if key in keys:
                hint = "give one folder or list that tells them apart"
                raise UsageError(f"{path}: a second image with the key {key!r}", hint)
            keys.add(key)
            yield key, read


def read_points(path: Path) -> dict[str, Float32[Array, "P 2"]]:
    """Landmarks (68, 2), or the two corners of a box (2, 2), by key, from JSON or CSV."""
    with located(path):
        try:
            text = path.read_text("utf-8")
            rows = _csv_rows(text) if path.suffix.lower() == ".csv" else json.loads(text)
        except OSError as error:
            raise UsageError(error.strerror or str(error), _HINT_POINTS) from None
        except (ValueError, RecursionError, csv.Error) as error:
            raise UsageError(f"neither JSON nor CSV: {error}", _HINT_POINTS) from None
        if not isinstance(rows, dict) or not rows:
            raise UsageError("holds no landmarks by key", _HINT_POINTS)
        return {key: _points(key, value) for key, value in rows.items()}


def points_of(key: str, points: Mapping[str, Float32[Array, "P 2"]]) -> Float32[Array, "P 2"]:
    """An image's landmarks: by its key, its file's name, or that without suffix."""
    for name in (key, Path(key).name, Path(key).stem):
        if name in points:
            return points[name]
    raise ImageError("has no landmarks or box", "add it to the file of landmarks")


def _message(error: Exception) -> str:
    unknown = isinstance(error, UnidentifiedImageError)
    return "not an image" if unknown else f"unreadable image: {error}"


def _images(path: Path) -> Iterator[tuple[str, Read]]:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not files:
            raise UsageError(f"{path}: holds no {', '.join(SUFFIXES)}")
        yield from ((file.relative_to(path).as_posix(), file.read_bytes) for file in files)
    elif path.suffix == ".tar":
        for key, members in read_samples(path):
            yield key, partial(_member, members)
    elif path.suffix == ".txt":
        yield from ((line, (path.parent / line).read_bytes) for line in _lines(path))
    else:
        yield path.name, path.read_bytes


def _member(members: Mapping[str, bytes]) -> bytes:
    for suffix in (suffix.removeprefix(".") for suffix in SUFFIXES):
        if suffix in members:
            return members[suffix]
    raise ImageError("the sample holds no image")


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: not a list of images: {error}") from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _csv_rows(text: str) -> dict[str, list[str]]:
    rows = [row for row in csv.reader(text.splitlines()) if row]
    header = rows and not _is_number(rows[0][-1])
    return {row[0]: row[1:] for row in rows[bool(header) :]}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _points(key: str, value: Any) -> Float32[Array, "P 2"]:
    try:
        points = np.asarray(value, np.float64).reshape(-1, 2)
    except (ValueError, TypeError, OverflowError):
        points = np.empty((0, 2))
    if len(points) not in (CORNERS, LANDMARKS) or not (np.abs(points) < FARTHEST).all():
        raise UsageError(f"{key!r} has neither a box nor {LANDMARKS} landmarks", _HINT_POINTS)
    if np.ptp(points, axis=0).max() <= 0:
        raise UsageError(f"{key!r} has a box without extent", _HINT_POINTS)
    return points.astype(np.float32)


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
        raise ImageError("its landmarks or box lie outside of it")
    x, y = int(np.floor(left)), int(np.floor(top))
    end = int(np.ceil(max(left - x, top - y) + side))
    part = image.crop((x, y, x + end, y + end))
    box = (left - x, top - y, left - x + side, top - y + side)
    return part.resize((size, size), Image.Resampling.BICUBIC, box)
