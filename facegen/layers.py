"""What can be written of a rendered face, and how each is encoded."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facegen.errors import UsageError
from facegen.geometry import project
from facegen.parameters import Float32
from facegen.recipe import ImageFormat
from facegen.renderers import RENDERED_LAYERS, Frames

LAYERS = (*RENDERED_LAYERS, "landmarks", "cls")
DEPTH_UNITS_PER_MM = 10
VISIBLE_WITHIN_MM = 1.0
PILLOW_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}


@dataclass(frozen=True)
class Label:
    """What a sample's json says beside theta."""

    index: int
    K: Float32
    model_to_camera: Float32
    identity: int
    parent: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """As written."""
        return {
            "index": self.index,
            "K": self.K.tolist(),
            "model_to_camera": self.model_to_camera.tolist(),
            "identity": self.identity,
            "parent": self.parent,
        }


def parse(text: str) -> frozenset[str]:
    """The layers of a comma-separated list; 'all' is all of them, '' none."""
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    for name in sorted(wanted - {*LAYERS, "all"}):
        raise UsageError(f"--layers: unknown layer {name!r}", f"known: {', '.join(LAYERS)}, all")
    return frozenset(LAYERS) if "all" in wanted else frozenset(wanted)


def rendered(layers: frozenset[str]) -> frozenset[str]:
    """What the renderer must make for these layers: landmarks need the depth."""
    return layers & set(RENDERED_LAYERS) | ({"depth"} if "landmarks" in layers else set())


def find_landmarks(points: Float32, K: Float32, depth: Float32) -> Float32:
    """Eye-space landmarks (N, L, 3) before depth pictures (N, H, W) -> u, v, visible (N, L, 3)."""
    uv = project(points, K)
    size = depth.shape[1]
    padded = np.pad(depth, ((0, 0), (1, 1), (1, 1)))
    column, row = np.clip(np.floor(np.moveaxis(uv, -1, 0)), 0, size - 1).astype(np.intp)
    face = np.arange(len(depth))[:, None]
    steps = [(i, j) for i in range(3) for j in range(3)]
    farthest = np.max([padded[face, row + i, column + j] for i, j in steps], axis=0)
    inside = ((uv >= 0) & (uv < size)).all(axis=-1)
    visible = inside & (farthest >= -points[..., 2] - VISIBLE_WITHIN_MM)
    return np.concatenate([uv, visible[..., None]], axis=-1).astype(np.float32)


def encode(
    frames: Frames, row: int, layers: frozenset[str], image: ImageFormat
) -> dict[str, bytes]:
    """The picture and the rendered layers of one face as members of its sample, by suffix."""
    members = {image.format: encode_image(frames.images[row], image)}
    if "mask" in layers:
        members["mask.png"] = encode_png(frames.mask[row])
    for name in layers & frames.layers.keys():
        members[f"{name}.png"] = _ENCODERS.get(name, encode_png)(frames.layers[name][row])
    return members


def encode_image(pixels: NDArray[np.uint8], image: ImageFormat) -> bytes:
    """Pixels (H, W, 3) in the recipe's format."""
    buffer = io.BytesIO()
    options = {} if image.format == "png" else {"quality": image.quality}
    Image.fromarray(pixels).save(buffer, PILLOW_FORMATS[image.format], **options)
    return buffer.getvalue()


def encode_png(pixels: NDArray[Any]) -> bytes:
    """Pixels (H, W) or (H, W, 3), 8 or 16 bit, as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def encode_depth(depth: Float32) -> bytes:
    """Depth (H, W) in mm as 16-bit PNG of tenths of a millimetre, saturating at 6.5535 m."""
    units = np.clip(np.round(depth * DEPTH_UNITS_PER_MM), 0, 65535)
    return encode_png(units.astype(np.uint16))


def encode_array(array: NDArray[Any]) -> bytes:
    """An array as .npy."""
    return _npy_header(array.dtype.str, array.shape) + np.ascontiguousarray(array).tobytes()


def encode_json(value: Mapping[str, Any]) -> bytes:
    """A mapping as compact JSON; a number that is not finite is an error."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


_ENCODERS: dict[str, Callable[[Any], bytes]] = {"depth": encode_depth}


@lru_cache(maxsize=16)
def _npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()
