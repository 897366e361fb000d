"""Samples with their truth, as an evaluation reads them from shards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from facegen.dataset.encoding import CODECS, LABEL, THETA, decode_array
from facegen.dataset.labels import cameras_of, decode_label
from facegen.dataset.shards import Encoded, read_samples
from facegen.errors import DatasetError, located
from facegen.files import Array
from facegen.learning.frames import cut, middle
from facegen.learning.images import decode_into
from facegen.learning.labelled import SUFFIX, member
from facegen.learning.training_set import TrainingSet
from facegen.models.morphable_model import LANDMARKS
from facegen.scene.cameras import Cameras


@dataclass(frozen=True, eq=False)
class Faces:
    """N samples with their truth: images as stored, and as the network takes them (inputs).

    masks: those of the shards, and landmarks: landmarks2d in shares of the side, if they hold them.
    """

    images: UInt8[Array, "N S S 3"]
    inputs: UInt8[Array, "N s s 3"]
    theta: Float32[Array, "N m"]
    cameras: Cameras
    masks: UInt8[Array, "N S S"] | None
    landmarks: Float32[Array, "N 68 2"] | None = None

    def __len__(self) -> int:
        return len(self.images)


def read_faces(
    training_set: TrainingSet, size: int, batch: int, count: int | None = None
) -> Iterator[Faces]:
    """The first `count` samples, or all, in batches; `size` is what the network takes."""
    every = (sample for path in training_set.everything for sample in read_samples(path))
    samples = islice(every, count)
    while rows := list(islice(samples, batch)):
        yield _faces(rows, training_set, size)


def _faces(rows: Sequence[Encoded], training_set: TrainingSet, size: int) -> Faces:
    side, width = training_set.image.size, training_set.layout.width
    images = np.empty((len(rows), side, side, 3), np.uint8)
    inputs = images if size == side else np.empty((len(rows), size, size, 3), np.uint8)
    theta = np.empty((len(rows), width), np.float32)
    labels, masks, landmarks = [], [], []
    for i, (key, members) in enumerate(rows):
        with located(f"sample {key}"):
            data = member(members, training_set.image.format)
            decode_into(images[i], data)
            if inputs is not images:
                whole = Image.fromarray(images[i])
                inputs[i] = cut(whole, middle(whole), size)
            theta[i] = decode_array(member(members, THETA), (width,))
            labels.append(decode_label(member(members, LABEL)))
            masks += _mask(members, side)
            if SUFFIX in members:
                landmarks.append(decode_array(members[SUFFIX], (LANDMARKS, 3))[:, :2] / side)
    cameras = cameras_of(labels)
    stored = np.stack(masks) if len(masks) == len(rows) else None
    marked = np.stack(landmarks) if len(landmarks) == len(rows) else None
    return Faces(images, inputs, theta, cameras, stored, marked)


def _mask(members: Mapping[str, bytes], side: int) -> list[UInt8[Array, "S S"]]:
    """The sample's mask, if it has one."""
    codec = CODECS["mask"]
    if codec.suffix not in members:
        return []
    mask = codec.decode(members[codec.suffix])
    if mask.shape != (side, side):
        raise DatasetError(f"its mask is {mask.shape}, not {(side, side)} pixels")
    return [mask]
