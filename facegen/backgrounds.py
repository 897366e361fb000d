"""What stands behind the head: a colour, smooth noise, or a crop of a picture."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facegen.errors import FacegenError, located

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PIXELS = 100_000_000
SMALLEST_CROP = 0.5
COARSE, FINE, COARSE_SHARE = 4, 8, np.float32(0.75)
NODES = COARSE**2 + FINE**2


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
            files = sorted(
                p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()
            )
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


def put_noise(images: UInt8, mask: UInt8, colours: Float64) -> None:
    """Fill images (N, H, H, 3) where mask (N, H, H) is 0 with smooth noise, in place.

    colours (N, NODES, 3) in [0, 1] stand on a coarse and on a fine lattice over the picture.
    """
    count, size = mask.shape[:2]
    values = (255 * colours).astype(np.float32)
    coarse = COARSE_SHARE * values[:, : COARSE**2].reshape(count, COARSE, COARSE, 3)
    fine = (1 - COARSE_SHARE) * values[:, COARSE**2 :].reshape(count, FINE, FINE, 3)
    _put_noise(images, mask, coarse, fine, *_steps(size, COARSE), *_steps(size, FINE))


def _steps(size: int, nodes: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each pixel of a row, the node before it and how far it is to the next, smoothed."""
    place = (np.arange(size) + 0.5) / size * (nodes - 1)
    before = place.astype(np.int64)
    rest = place - before
    return before, (rest * rest * (3 - 2 * rest)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _put_noise(
    images: UInt8,
    mask: UInt8,
    coarse: Float32,
    fine: Float32,
    node: NDArray[np.int64],
    step: Float32,
    fine_node: NDArray[np.int64],
    fine_step: Float32,
) -> None:
    count, height, width = mask.shape
    for face in range(count):
        for row in range(height):
            i, j = node[row], fine_node[row]
            a = coarse[face, i] + (coarse[face, i + 1] - coarse[face, i]) * step[row]
            b = fine[face, j] + (fine[face, j + 1] - fine[face, j]) * fine_step[row]
            for column in range(width):
                if mask[face, row, column] == 0:
                    k, m = node[column], fine_node[column]
                    s, t = step[column], fine_step[column]
                    for c in range(3):
                        value = a[k, c] + (a[k + 1, c] - a[k, c]) * s
                        value += b[m, c] + (b[m + 1, c] - b[m, c]) * t
                        images[face, row, column, c] = np.uint8(value + np.float32(0.5))


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
