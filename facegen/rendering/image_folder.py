"""A folder of images to stand behind heads, and the parts of them that samples use."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image

from facegen.errors import FacegenError, located
from facegen.files import Array, sha256_of
from facegen.rendering.pictures import find_pictures, opened, read_picture, upright_rgb

SMALLEST_CROP = 0.5
_HINT = "give a folder of images"


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder in the order of their names, the hash of each, and one of all.

    No files where it is known by its fingerprint alone; note: what was passed over.
    """

    files: tuple[Path, ...]
    hashes: tuple[str, ...]
    fingerprint: str
    note: str = field(default="", compare=False)

    def crops(self, uniforms: Float64[Array, "N 4"], size: int) -> UInt8[Array, "N S S 3"]:
        """One square crop per row of uniforms, which say which image, how large, and where."""
        crops = np.empty((len(uniforms), size, size, 3), np.uint8)
        for crop, row in zip(crops, uniforms, strict=True):
            number = int(row[0] * len(self.files))
            with located("background", self.files[number]):
                crop[:] = _crop(self._read(number), row[1:], size)
        return crops

    def _read(self, number: int) -> bytes:
        """An image's file, which must be what it was when the folder was listed."""
        data = read_picture(self.files[number])
        if hashlib.sha256(data).hexdigest() != self.hashes[number]:
            raise FacegenError("changed while it was used", "start again")
        return data


def list_images(folder: Path) -> ImageFolder:
    """The images in a folder and its subfolders; their names and contents make the fingerprint."""
    with located("backgrounds", folder):
        try:
            if not folder.is_dir():
                raise FacegenError("not a folder" if folder.exists() else "is not there", _HINT)
            found = find_pictures(folder)
        except (OSError, ValueError) as error:
            raise FacegenError(getattr(error, "strerror", None) or str(error), _HINT) from None
        if not found.files:
            raise FacegenError("holds no images by name: jpg, png, webp, tif, …", _HINT)
        with ThreadPoolExecutor() as pool:
            hashes = tuple(pool.map(sha256_of, found.files.values()))
    digest = hashlib.sha256()
    for name, one in zip(found.files, hashes, strict=True):
        digest.update(f"{one} ".encode() + os.fsencode(name) + b"\0")
    note = f"--backgrounds: {found.passed_over}" if found.passed_over else ""
    return ImageFolder(tuple(found.files.values()), hashes, digest.hexdigest(), note)


def _crop(data: bytes, uniforms: Float64[Array, "3"], size: int) -> UInt8[Array, "S S 3"]:
    try:
        with opened(data) as image:
            full, side = image.size, _side(image.size, uniforms)
            # A JPEG is decoded no larger than needed; the box is in the full image's pixels.
            shrink = 2 * size / side
            image.draft("RGB", (int(full[0] * shrink), int(full[1] * shrink)))
            upright = upright_rgb(image)
            extent = full if upright.size == image.size else full[::-1]
            scale = upright.width / extent[0]
            left, top, right, bottom = _square(extent, side, uniforms)
            part = (left * scale, top * scale, right * scale, bottom * scale)
            return np.asarray(upright.resize((size, size), Image.Resampling.BILINEAR, part))
    except FacegenError as error:
        error.hint = error.hint or "remove it from the folder"
        raise


def _side(extent: tuple[int, int], uniforms: Float64[Array, "3"]) -> int:
    """From half to all of the shorter side."""
    return max(1, round(min(extent) * (SMALLEST_CROP + (1 - SMALLEST_CROP) * float(uniforms[0]))))


def _square(
    extent: tuple[int, int], side: int, uniforms: Float64[Array, "3"]
) -> tuple[int, int, int, int]:
    """A square of the image with this side, anywhere in it."""
    left, top = (
        int((length - side + 1) * u) for length, u in zip(extent, uniforms[1:], strict=True)
    )
    return left, top, left + side, top + side
