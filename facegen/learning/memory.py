"""A data set in memory: every image decoded once, with what the small network learns of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from facegen.dataset.reader import Dataset
from facegen.errors import DatasetError, located
from facegen.files import Array
from facegen.learning.images import decode_into
from facegen.models.morphable_model import LANDMARKS
from facegen.scene.parameters import Layout

LAYER = "landmarks2d"


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """N faces: images, theta, and landmarks2d as u, v in shares of the image's side.

    known: which numbers of theta are labels; all of those that were rendered are.
    """

    layout: Layout
    images: UInt8[Array, "N S S 3"]
    theta: Float32[Array, "N m"]
    landmarks: Float32[Array, "N 68 2"]
    known: Bool[Array, "N m"]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Int64[Array, "n"]) -> "LabelledFaces":
        """Copies of these rows."""
        return LabelledFaces(
            self.layout,
            self.images[rows],
            self.theta[rows],
            self.landmarks[rows],
            self.known[rows],
        )


def read_faces(where: str | Path) -> LabelledFaces:
    """All samples of a data set that has the layer landmarks2d; DatasetError where it has not."""
    dataset = Dataset(str(where))
    size, width, count = dataset.recipe.image.size, dataset.layout.width, len(dataset)
    if LAYER not in dataset.layers or not count:
        raise DatasetError(f"{where}: has no layer {LAYER}", f"render it with --layers {LAYER}")
    images = np.empty((count, size, size, 3), np.uint8)
    theta = np.empty((count, width), np.float32)
    landmarks = np.empty((count, LANDMARKS, 2), np.float32)
    for row, sample in enumerate(dataset):
        with located(sample.shard, sample.key):
            decode_into(images[row], sample.members[dataset.recipe.image.format])
        theta[row] = sample.vector
        landmarks[row] = sample.layers[LAYER][:, :2] / size
    known = np.broadcast_to(np.True_, theta.shape)
    return LabelledFaces(dataset.layout, images, theta, landmarks, known)
