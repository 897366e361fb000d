"""Faces with what a network learns of them: theta, and the landmarks that people mark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from facegen.dataset.encoding import CODECS, THETA, Layer, decode_array
from facegen.dataset.shards import Encoded
from facegen.errors import DatasetError, located
from facegen.files import Array
from facegen.learning.images import decode_into
from facegen.models.morphable_model import LANDMARKS
from facegen.scene.parameters import Layout

LAYER: Layer = "landmarks2d"
SUFFIX = CODECS[LAYER].suffix


class Batch(NamedTuple):
    """Labelled faces as tensors."""

    images: UInt8[Tensor, "N S S 3"]
    theta: Float32[Tensor, "N m"]
    known: Bool[Tensor, "N m"]
    landmarks: Float32[Tensor, "N l 2"]
    visible: Float32[Tensor, "N l"]

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """N faces: images, theta, and landmarks2d as u, v in shares of the image's side.

    known: which numbers of theta are labels; all of those that were rendered are. visible: 1 for
    each landmark that is. Of faces without landmarks the last two are (N, 0, 2) and (N, 0).
    """

    layout: Layout
    images: UInt8[Array, "N S S 3"]
    theta: Float32[Array, "N m"]
    landmarks: Float32[Array, "N l 2"]
    visible: Float32[Array, "N l"]
    known: Bool[Array, "N m"]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Int64[Array, "n"]) -> "LabelledFaces":
        """Copies of these rows."""
        arrays = (self.images, self.theta, self.landmarks, self.visible, self.known)
        return LabelledFaces(self.layout, *(array[rows] for array in arrays))

    def tensors(self) -> Batch:
        """The same as tensors, of the same memory where that is whole."""
        arrays = (self.images, self.theta, self.known, self.landmarks, self.visible)
        return Batch(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


@dataclass(frozen=True)
class Kind:
    """What samples of shards are: their images' format and side, theta, whether with landmarks."""

    format: str
    size: int
    layout: Layout
    landmarks: bool

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The members of a sample that are read."""
        return (self.format, THETA, SUFFIX) if self.landmarks else (self.format, THETA)


def decoded(
    samples: Sequence[Encoded], kind: Kind, images: UInt8[Array, "N S S 3"] | None = None
) -> LabelledFaces:
    """Samples of shards as labelled faces; `images` is memory for them, where some is reused."""
    count, size = len(samples), kind.size
    if images is None:
        images = np.empty((count, size, size, 3), np.uint8)
    theta = np.empty((count, kind.layout.width), np.float32)
    points = np.empty((count, LANDMARKS if kind.landmarks else 0, 3), np.float32)
    for row, (key, members) in enumerate(samples):
        with located(f"sample {key}"):
            decode_into(images[row], member(members, kind.format))
            theta[row] = decode_array(member(members, THETA), (kind.layout.width,))
            if kind.landmarks:
                points[row] = decode_array(member(members, SUFFIX), (LANDMARKS, 3))
    known = np.broadcast_to(np.True_, theta.shape)
    return LabelledFaces(kind.layout, images, theta, points[..., :2] / size, points[..., 2], known)


def member(members: Mapping[str, bytes], suffix: str) -> bytes:
    """A sample's member, which it must have."""
    if suffix not in members:
        raise DatasetError(f"has no {suffix}")
    return members[suffix]
