"""A folder of images to stand behind heads, and the parts of them that samples use."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image

from facegen.errors import FacegenError, located
from facegen.files import Array

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PIXELS = 100_000_000
SMALLEST_CROP = 0.5
_HINT = "give a folder of images"


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder, in the order of their names; none where only it is known by hash."""

    files: tuple[Path, ...]
    fingerprint: str

    def crops(self, uniforms: Float64[Array, "N 4"], size: int) -> UInt8[Array, "N S S 3"]:
        """One square crop per row of uniforms, which say which image, how large, and where."""
        crops = np.empty((len(uniforms), size, size, 3), np.uint8)
        for crop, row in zip(crops, uniforms, strict=True):
            path = self.files[int(row[0] * len(self.files))]
            with located("background", path):
                crop[:] = _crop(path, row[1:], size)
        return crops


def list_images(folder: Path) -> ImageFolder:
    """The images in a folder; names and sizes make their fingerprint."""
    with located("backgrounds", folder):
        try:
            files = sorted(
                p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()
            )
        except OSError as error:
            raise FacegenError(error.strerror or str(error), _HINT) from None
        if not files:
            raise FacegenError("holds no jpg, png or webp", _HINT)
        listing = "\n".join(f"{path.name} {path.stat().st_size}" for path in files)
    return ImageFolder(tuple(files), hashlib.sha256(listing.encode()).hexdigest())


def _crop(path: Path, uniforms: Float64[Array, "3"], size: int) -> UInt8[Array, "S S 3"]:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise FacegenError(f"more than {MAX_PIXELS:,} pixels")
            box = _square(image.size, uniforms)
            # A JPEG is decoded no larger than needed; the box is in the full image's pixels.
            full = image.size
            shrink = 2 * size / (box[2] - box[0])
            image.draft("RGB", (int(full[0] * shrink), int(full[1] * shrink)))
            scale = image.width / full[0]
            part = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
            pixels = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR, part)
            return np.asarray(pixels)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise FacegenError(f"unreadable image: {error}", "remove it from the folder") from None


def _square(extent: tuple[int, int], uniforms: Float64[Array, "3"]) -> tuple[int, int, int, int]:
    """A square of the image: side from half to all of its shorter side, anywhere in it."""
    side = max(1, round(min(extent) * (SMALLEST_CROP + (1 - SMALLEST_CROP) * uniforms[0])))
    left, top = (
        int((length - side + 1) * u) for length, u in zip(extent, uniforms[1:], strict=True)
    )
    return left, top, left + side, top + side
