"""How each member of a sample is encoded, and decoded: the image, theta, the label, every layer."""

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float32, UInt8, UInt16
from PIL import Image, UnidentifiedImageError

from facegen.errors import DatasetError, FacegenError, UsageError, meant
from facegen.files import Array
from facegen.models.morphable_model import LANDMARKS
from facegen.recipe.image import ImageFormat

Layer = Literal[
    "mask",
    "depth",
    "normal",
    "albedo",
    "segmentation",
    "pncc",
    "depth_beneath",
    "normal_beneath",
    "albedo_beneath",
    "segmentation_beneath",
    "pncc_beneath",
    "shading",
    "specular",
    "radiance",
    "landmarks",
    "landmarks2d",
    "cls",
]
LAYERS: tuple[Layer, ...] = get_args(Layer)
# Linear light, which only photographs are made of.
OF_PHOTOGRAPHS: frozenset[Layer] = frozenset({"shading", "specular", "radiance"})

THETA, LABEL = "theta.npy", "json"
DEPTH_UNITS_PER_MM = 10
PILLOW_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
STORED_FORMATS = tuple(PILLOW_FORMATS.values())


@dataclass(frozen=True)
class Codec:
    """How one layer is a member of a sample: its suffix, and both directions."""

    suffix: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def parse_layers(text: str) -> frozenset[Layer]:
    """The layers of a comma-separated list; 'all' is all that any recipe can have, '' none."""
    names = {name.strip() for name in text.split(",") if name.strip()}
    if "all" in names:
        names = (names - {"all"}) | (set(LAYERS) - OF_PHOTOGRAPHS)
    return check_layers(names)


def check_layers(names: Collection[str]) -> frozenset[Layer]:
    """The names as layers; UsageError names one that does not exist."""
    for name in sorted(set(names) - set(LAYERS)):
        hint = meant(name, LAYERS, f"known: {', '.join(LAYERS)}, all")
        if name in RENAMED:
            hint = f"it is now called {RENAMED[name]}"
        raise UsageError(f"--layers: unknown layer {name!r}", hint)
    return frozenset(name for name in LAYERS if name in names)


RENAMED = {"parts": "segmentation", "correspondence": "pncc"}


def suffixes_of(layers: Collection[Layer], image: ImageFormat) -> frozenset[str]:
    """The members that a sample with these layers has."""
    return frozenset({image.format, THETA, LABEL, *(CODECS[name].suffix for name in layers)})


def encode_image(pixels: UInt8[Array, "H W 3"], image: ImageFormat) -> bytes:
    """Pixels in the recipe's format."""
    buffer = io.BytesIO()
    options = {} if image.format == "png" else {"quality": image.quality}
    Image.fromarray(pixels).save(buffer, PILLOW_FORMATS[image.format], **options)
    return buffer.getvalue()


def decode_image(data: bytes) -> UInt8[Array, "H W 3"]:
    """The pixels of an encoded image; DatasetError says what is wrong with it."""
    with decoding("image"), Image.open(io.BytesIO(data), formats=STORED_FORMATS) as image:
        return np.asarray(image.convert("RGB"))


def encode_png(pixels: UInt8[Array, "H W *C"] | UInt16[Array, "H W"]) -> bytes:
    """Pixels, 8 or 16 bit, as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def decode_png(data: bytes) -> UInt8[Array, "H W *C"]:
    """The pixels of a layer of bytes."""
    return _png(data, np.uint8)


def encode_depth(depth: Float32[Array, "H W"]) -> bytes:
    """Depth in mm as 16-bit PNG of tenths of a millimetre, saturating at 6.5535 m."""
    units = np.clip(np.round(depth * DEPTH_UNITS_PER_MM), 0, 65535)
    return encode_png(units.astype(np.uint16))


def decode_depth(data: bytes) -> Float32[Array, "H W"]:
    """Depth in mm, 0 where nothing is."""
    return _png(data, np.uint16).astype(np.float32) / np.float32(DEPTH_UNITS_PER_MM)


def encode_array(array: Array) -> bytes:
    """An array as .npy."""
    return _npy_header(array.dtype.str, array.shape) + np.ascontiguousarray(array).tobytes()


def decode_array(data: bytes, shape: tuple[int, ...]) -> Float32[Array, "..."]:
    """A float32 array of this shape, all finite; DatasetError says what it is instead."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header, values = _npy_shape(data[:start]), data[start:]
    if header is None:
        raise DatasetError("is not an array in the .npy format")
    if header != ("<f4", shape):
        raise DatasetError(f"is {header[0]} {header[1]}, not float32 {shape}")
    array = np.frombuffer(values[: len(values) // 4 * 4], np.float32)
    if len(values) != 4 * np.prod(shape, dtype=int):
        raise DatasetError(f"holds {len(values):,} bytes, which is not float32 {shape}")
    infinite = np.count_nonzero(~np.isfinite(array))
    if infinite:
        raise DatasetError(f"holds {infinite} values that are NaN or infinite")
    return array.reshape(shape)


def encode_light(light: Float32[Array, "H W 3"]) -> bytes:
    """Linear light as .npy of 16-bit floats."""
    return encode_array(light.astype(np.float16))


def decode_light(data: bytes) -> Float32[Array, "H W 3"]:
    """Linear light as float32; DatasetError where it is none."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header, values = _npy_shape(data[:start]), data[start:]
    if header is None:
        raise DatasetError("is not an array in the .npy format")
    dtype, shape = header
    if dtype != "<f2" or len(shape) != 3 or shape[2] != 3 or len(values) != 2 * np.prod(shape):
        raise DatasetError(f"is {dtype} {shape}, not linear light: float16 (H, W, 3)")
    light = np.frombuffer(values, np.float16).reshape(shape).astype(np.float32)
    if not np.isfinite(light).all():
        raise DatasetError("holds values that are NaN or infinite")
    return light


def decode_landmarks(data: bytes) -> Float32[Array, "68 3"]:
    """u, v in pixels, and 1 where visible, else 0."""
    return decode_array(data, (LANDMARKS, 3))


def encode_class(identity: int) -> bytes:
    """An identity as webdataset reads class labels: decimal digits."""
    return str(identity).encode()


def decode_class(data: bytes) -> int:
    """The identity."""
    if not data.isdigit() or len(data) > 20:
        raise DatasetError("is not a whole number")
    return int(data)


CODECS: Mapping[Layer, Codec] = {
    "mask": Codec("mask.png", encode_png, decode_png),
    "depth": Codec("depth.png", encode_depth, decode_depth),
    "normal": Codec("normal.png", encode_png, decode_png),
    "albedo": Codec("albedo.png", encode_png, decode_png),
    "segmentation": Codec("segmentation.png", encode_png, decode_png),
    "pncc": Codec("pncc.png", encode_png, decode_png),
    "depth_beneath": Codec("depth_beneath.png", encode_depth, decode_depth),
    "normal_beneath": Codec("normal_beneath.png", encode_png, decode_png),
    "albedo_beneath": Codec("albedo_beneath.png", encode_png, decode_png),
    "segmentation_beneath": Codec("segmentation_beneath.png", encode_png, decode_png),
    "pncc_beneath": Codec("pncc_beneath.png", encode_png, decode_png),
    "shading": Codec("shading.npy", encode_light, decode_light),
    "specular": Codec("specular.npy", encode_light, decode_light),
    "radiance": Codec("radiance.npy", encode_light, decode_light),
    "landmarks": Codec("landmarks.npy", encode_array, decode_landmarks),
    "landmarks2d": Codec("landmarks2d.npy", encode_array, decode_landmarks),
    "cls": Codec("cls", encode_class, decode_class),
}


def _png(data: bytes, dtype: type) -> Array:
    with decoding("PNG"), Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        pixels = np.asarray(image)
    if pixels.dtype == np.int32 and dtype == np.uint16:  # Pillow before 11.3 widens 16 bits.
        pixels = pixels.astype(np.uint16)
    if pixels.dtype != dtype:
        raise DatasetError(f"holds {pixels.dtype}, not {np.dtype(dtype)}")
    return pixels


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """DatasetError for all that is wrong with an encoded picture that is decoded inside."""
    try:
        yield
    except FacegenError:
        raise
    except UnidentifiedImageError:
        raise DatasetError(f"is not a readable {what}: not an image of its kind") from None
    except Exception as error:  # A damaged file can raise anything at all in Pillow's readers.
        raise DatasetError(f"is not a readable {what}: {error}") from None


@lru_cache(maxsize=16)
def _npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


@lru_cache(maxsize=16)
def _npy_shape(header: bytes) -> tuple[str, tuple[int, ...]] | None:
    """What a .npy's header states; parsed once, for all samples have the same."""
    file = io.BytesIO(header)
    try:
        np.lib.format.read_magic(file)
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception:  # NumPy parses the header as Python: it can raise anything.
        return None
    return None if fortran_order and len(shape) > 1 else (dtype.str, shape)
