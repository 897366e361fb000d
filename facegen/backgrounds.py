"""What stands behind the head: a flat colour, or a crop of somebody's pictures."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facegen.errors import FacegenError, located

UInt8 = NDArray[np.uint8]
Float64 = NDArray[np.float64]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PIXELS = 100_000_000
SMALLEST_CROP = 0.5


@dataclass(frozen=True)
class Pictures:
    """The pictures of a folder, in the order of their names."""

    files: tuple[Path, ...]
    digest: str

    def crops(self, uniforms: Float64, size: int) -> UInt8:
        """One square crop per row of uniforms (N, 4): which, how large, where -> (N, S, S, 3)."""
        crops = np.empty((len(uniforms), size, size, 3), np.uint8)
        for crop, row in zip(crops, uniforms, strict=True):
            path = self.files[int(row[0] * len(self.files))]
            with located("background", path):
                crop[:] = _crop(path, row[1:], size)
        return crops


def list_pictures(folder: Path) -> Pictures:
    """The pictures in a folder; names and sizes make their digest."""
    with located("backgrounds", folder):
        try:
            files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        except OSError as error:
            raise FacegenError(error.strerror or str(error), "give a folder of pictures") from None
        if not files:
            raise FacegenError("holds no jpg, png or webp", "give a folder of pictures")
        text = "\n".join(f"{path.name} {path.stat().st_size}" for path in files)
    return Pictures(tuple(files), hashlib.sha256(text.encode()).hexdigest())


@numba.njit(cache=True, nogil=True)
def put_behind(images: UInt8, mask: UInt8, behind: UInt8) -> None:
    """Fill images (N, H, W, 3) where mask (N, H, W) is 0 from `behind`, in place.

    behind is as large as the images, or one pixel (N, 1, 1, 3) for all of a picture.
    """
    count, height, width = mask.shape
    step = 0 if behind.shape[1] == 1 else 1
    for face in range(count):
        for row in range(height):
            for column in range(width):
                if mask[face, row, column] == 0:
                    for channel in range(3):
                        value = behind[face, row * step, column * step, channel]
                        images[face, row, column, channel] = value


def flat(colours: Float64) -> UInt8:
    """Colours (N, 3) in [0, 1] as pictures of one pixel (N, 1, 1, 3)."""
    return np.round(255 * colours).astype(np.uint8)[:, None, None, :]


def _crop(path: Path, uniforms: Float64, size: int) -> UInt8:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise FacegenError(f"more than {MAX_PIXELS:,} pixels")
            box = _square(picture.size, uniforms)
            # A JPEG is decoded no larger than needed; the box is in the full picture's pixels.
            full = picture.size
            shrink = 2 * size / (box[2] - box[0])
            picture.draft("RGB", (int(full[0] * shrink), int(full[1] * shrink)))
            scale = picture.width / full[0]
            part = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
            pixels = picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR, part)
            return np.asarray(pixels)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise FacegenError(f"unreadable picture: {error}", "remove it from the folder") from None


def _square(extent: tuple[int, int], uniforms: Float64) -> tuple[int, int, int, int]:
    """A square of the picture: side from half to all of its shorter side, anywhere in it."""
    side = max(1, round(min(extent) * (SMALLEST_CROP + (1 - SMALLEST_CROP) * uniforms[0])))
    left, top = (
        int((length - side + 1) * u) for length, u in zip(extent, uniforms[1:], strict=True)
    )
    return left, top, left + side, top + side
