"""Pictures of strangers: found in folders, opened by a stated list of formats, as upright sRGB.

Formats that start another program (EPS runs Ghostscript) are not in the list, whatever a file is
called.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin, UnidentifiedImageError

from facegen.errors import FacegenError
from facegen.files import name_in_words

FORMATS = (
    *("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "JPEG2000", "AVIF", "HEIF"),
    *("PPM", "TGA", "PCX", "SGI", "SUN", "QOI", "PSD", "ICO", "ICNS", "DDS"),
)
MAX_PIXELS = 100_000_000
MAX_BYTES = 1_000_000_000
ORIENTATION, BITS, PHOTOMETRIC, WHITE_IS_ZERO = 274, 258, 262, 0
WHITE = (255, 255, 255)
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


class PictureError(FacegenError):
    """A picture that cannot be used."""


@dataclass(frozen=True)
class Found:
    """The pictures under a folder by their path in it, and words about the files passed over."""

    files: dict[str, Path]
    passed_over: str


def find_pictures(folder: Path) -> Found:
    """The pictures in a folder and its subfolders, in the order of their names' bytes."""
    files: dict[str, Path] = {}
    passed: Counter[str] = Counter()
    for path in _walk(folder):
        if path.name.startswith("."):
            passed["hidden"] += 1
        elif path.suffix.lower() not in suffixes() or not path.is_file():
            passed[name_in_words(path.suffix.lower()) or "without a suffix"] += 1
        else:
            files[path.relative_to(folder).as_posix()] = path
    ordered = sorted(files.items(), key=lambda item: os.fsencode(item[0]))
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(passed.items()))
    total = sum(passed.values())
    words = f"{total:,} files passed over, which are no pictures by name: {kinds}" if total else ""
    return Found(dict(ordered), words)


@cache
def formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow reads; HEIF where pillow-heif is installed."""
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@cache
def suffixes() -> frozenset[str]:
    """The suffixes of files of these formats: '.jpg'."""
    known = formats()
    extensions = Image.registered_extensions()
    return frozenset(suffix for suffix, kind in extensions.items() if kind in known)


def read_picture(path: Path) -> bytes:
    """A picture's file; PictureError says why it cannot be read."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise PictureError(f"larger than {MAX_BYTES:,} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise PictureError(getattr(error, "strerror", None) or str(error)) from None


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """A picture, not decoded yet; PictureError for all that is wrong with it, then or later."""
    try:
        with Image.open(BytesIO(data), formats=formats()) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"more than {MAX_PIXELS:,} pixels")
            yield image
    except FacegenError:
        raise
    except UnidentifiedImageError:
        raise PictureError("not an image of a kind that is read") from None
    except Exception as error:  # A damaged file can raise anything at all in Pillow's readers.
        words = " ".join(str(error).split())
        raise PictureError(f"unreadable image: {words or type(error).__name__}") from None


def upright_rgb(image: Image.Image) -> Image.Image:
    """The first frame as 8-bit sRGB, turned as its EXIF says; white where it is transparent."""
    image.load()
    turn = _turn(image)
    profile = image.info.get("icc_profile")
    plain = _eight_bits(image)
    alpha = None
    if plain.has_transparency_data:
        plain = plain.convert("RGBA")
        alpha, plain = plain.getchannel("A"), plain.convert("RGB")
    colours = _srgb(plain, profile)
    if alpha is not None:
        colours = Image.composite(colours, Image.new("RGB", colours.size, WHITE), alpha)
    return colours if turn is None else colours.transpose(turn)


def _walk(folder: Path) -> Iterator[Path]:
    """All files under a folder; links to folders are not followed, they may lead in circles."""

    def refuse(error: OSError) -> None:
        raise error

    for place, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(place) / name for name in names)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How EXIF says to turn a loaded picture; broken EXIF says nothing."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel, in a mode that keeps its colours."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _from_sixteen(image)
    if image.mode in ("I", "F"):
        raise PictureError(f"32 bits a pixel (mode {image.mode}), whose white is not stated")
    if image.mode == "1":
        return image.convert("L")
    # Pillow takes every CMYK JPEG for one of Adobe's, which are stored inverted.
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        return image.point(lambda value: 255 - value)
    return image


def _from_sixteen(image: Image.Image) -> Image.Image:
    """Grey of 9 to 16 bits as 8 bits."""
    largest, inverted = 65535, False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(BITS, (16,))
        largest = (1 << int(np.ravel(np.asarray(bits))[0])) - 1
        inverted = image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    values = np.asarray(image).astype(np.int64)
    grey = np.clip((values * 255 + largest // 2) // largest, 0, 255).astype(np.uint8)
    return Image.fromarray(255 - grey if inverted else grey)


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as sRGB's, by the picture's profile; one that is broken or of sRGB has no say."""
    source = _lab() if image.mode == "LAB" else _profile(profile)
    if source is None:
        return image.convert("RGB")
    mode = SPACES.get(source.profile.xcolor_space.strip())
    if mode == "RGB" and image.mode not in ("L", "LA", "CMYK", "LAB"):
        image = image.convert("RGB")
    if mode is None or image.mode != mode:
        return image.convert("RGB")
    converted = ImageCms.profileToProfile(image, source, _standard(), outputMode="RGB")
    return converted if converted is not None else image.convert("RGB")


def _profile(data: bytes | None) -> Any:
    """An embedded profile that says something else than sRGB, or None."""
    if not data:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(data))
        return None if "sRGB" in ImageCms.getProfileDescription(profile) else profile
    except Exception:  # As viewers do: colours are then taken as sRGB's.
        return None


@cache
def _standard() -> Any:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _lab() -> Any:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
