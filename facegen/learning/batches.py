"""Shards -> batches for training and validation: read as tar streams, decoded into one array."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from facegen.dataset.encoding import THETA, decode_array
from facegen.dataset.resolving import cores
from facegen.dataset.shards import KEY_DIGITS, Encoded
from facegen.dataset.streaming import Choice, every_sample, stream_samples
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import Array
from facegen.learning.images import decode_into
from facegen.learning.training_set import TrainingSet
from facegen.recipe.plan import identities_of
from facegen.recipe.recipe import Recipe

HELD_OUT_MOST = 1000
MOST_WORKERS = 12
AHEAD = 4

Batch = tuple[UInt8[Tensor, "B S S 3"], Float32[Tensor, "B m"]]


@dataclass(frozen=True)
class Reading:
    """What to read, and into what: `format` images of size x size pixels, theta of `width`.

    validation: the share that is held out, of the samples or, where the recipe of their folder has
    them, of the identities, so that no identity is both trained on and held out.
    """

    paths: tuple[Path, ...]
    format: str
    size: int
    width: int
    validation: float
    recipes: Mapping[Path, Recipe]

    def held_out(self, path: Path, key: str) -> bool:
        """Whether the sample of this shard and key is held out."""
        share = self.validation
        return share > 0 and held_out(key, self.recipes[path.parent], share)

    def trained_on(self, path: Path, key: str) -> bool:
        """Whether it is not."""
        return not self.held_out(path, key)


def reading_of(training_set: TrainingSet, validation: float) -> Reading:
    """How a training set is read; with shards of validation, no other sample is held out."""
    share = 0.0 if training_set.validation else validation
    image = training_set.image
    width = training_set.layout.width
    return Reading(
        training_set.shards, image.format, image.size, width, share, training_set.recipes
    )


class Batches(IterableDataset[Batch | FacegenError]):
    """Batches `start`, `start` + 1, ... of an endless stream: images (B, S, S, 3) uint8, theta.

    Workers give batches in turn. Each reads all shards over and over, in orders of its own that
    follow from (seed, worker, epoch): so that any batch can be had again, with as many workers.
    Images are decoded into the same few arrays in turn, for fresh memory costs as much as decoding:
    a batch is valid until AHEAD more are asked for. An error is given in place of a batch, because
    one that is raised would lose its message on its way from a worker.
    """

    def __init__(self, reading: Reading, batch: int, seed: int, start: int) -> None:
        self.reading, self.batch, self.seed, self.start = reading, batch, seed, start

    def __iter__(self) -> Iterator[Batch | FacegenError]:
        info = get_worker_info()
        number, workers = (info.id, info.num_workers) if info else (0, 1)
        turn = (self.start + number) % workers
        earlier = len(range(turn, self.start, workers))
        samples = endless(self.reading, f"{self.seed}/{turn}", self.batch * earlier)
        memory = allocated(self.reading, AHEAD + 2, self.batch)
        try:
            for images in cycle(memory):
                yield collate(list(islice(samples, self.batch)), self.reading, images)
        except FacegenError as error:
            yield error


def batches(source: Batches, workers: int, device: torch.device) -> Iterator[Batch]:
    """The stream's batches on the device, made ahead by so many processes."""
    loader = DataLoader(
        source,
        batch_size=None,
        num_workers=workers,
        # Forked from a clean process: no GPU or threads inherited, and an end without the clearing
        # up of the interpreter, which a spawned worker's own threads at times do not survive.
        multiprocessing_context="forkserver" if workers else None,
        pin_memory=device.type == "cuda",
        prefetch_factor=AHEAD if workers else None,
        # Else a loader takes a number from those of dropout, and a restart would go another way.
        generator=torch.Generator(),
    )
    for item in loader:
        if isinstance(item, FacegenError):
            raise item
        images, theta = item
        yield images.to(device, non_blocking=True), theta.to(device, non_blocking=True)


def default_workers(device: torch.device) -> int:
    """As many processes as leave a core for the one that trains; none where the CPU trains."""
    return min(cores() - 1, MOST_WORKERS) if device.type == "cuda" else 0


def endless(reading: Reading, seed: str, skip: int) -> Iterator[Encoded]:
    """Samples of training, epoch after epoch, without the first `skip`.

    Epochs are as long as the first: those that are skipped whole are not read.
    """
    length = 0
    for epoch in count():
        if length and skip >= length:
            skip -= length
            continue
        position = 0
        order = f"{seed}/{epoch}"
        for sample in stream(reading.paths, reading.format, order, reading.trained_on):
            position += 1
            if position > skip:
                yield sample
        skip, length = max(0, skip - position), position
        if not length:
            raise DatasetError("no samples are left for training", "lower --validation")


def validation_samples(training_set: TrainingSet, reading: Reading) -> list[Encoded]:
    """Up to HELD_OUT_MOST samples never trained on, encoded: they stay in memory."""
    if training_set.validation:
        samples = stream(training_set.validation, reading.format, None)
    else:
        samples = stream(reading.paths, reading.format, None, reading.held_out)
    return list(islice(samples, HELD_OUT_MOST))


def held_out(key: str, recipe: Recipe, share: float) -> bool:
    """Whether a sample is in the held-out share: every n-th identity, or by its key's hash."""
    number = identity(key, recipe)
    if number is not None:
        return int((number + 1) * share + 0.5) > int(number * share + 0.5)
    hashed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return hashed >= (1 - share) * 2.0**64


def identity(key: str, recipe: Recipe) -> int | None:
    """Whose face a sample of this key shows, where the recipe has identities."""
    indexed = len(key) == KEY_DIGITS and key.isdecimal()
    if recipe.identities is None or not indexed or int(key) >= recipe.identities.total:
        return None
    return int(identities_of(recipe, np.array([int(key)]))[0])


def stream(
    paths: Sequence[Path], suffix: str, seed: str | None, choose: Choice = every_sample
) -> Iterator[Encoded]:
    """One pass over the images and theta of shards, shuffled by the seed."""
    return stream_samples(paths, (suffix, THETA), seed, choose)


def in_batches(samples: Iterable[Encoded], reading: Reading, size: int) -> Iterator[Batch]:
    """Encoded samples decoded, `size` at a time, the last batch smaller."""
    samples = iter(samples)
    while rows := list(islice(samples, size)):
        yield collate(rows, reading)


def collate(
    samples: Sequence[Encoded], reading: Reading, images: UInt8[Array, "B S S 3"] | None = None
) -> Batch:
    """Decode samples into one batch; `images` is memory for it, where there is some to reuse."""
    if images is None:
        images = allocated(reading, len(samples))
    theta = np.empty((len(samples), reading.width), np.float32)
    for row, (key, members) in enumerate(samples):
        with located(f"sample {key}"):
            decode_into(images[row], member(members, reading.format))
            theta[row] = decode_array(member(members, THETA), (reading.width,))
    return torch.from_numpy(images), torch.from_numpy(theta)


def allocated(reading: Reading, *counts: int) -> UInt8[Array, "*N S S 3"]:
    """Memory for so many images."""
    return np.empty((*counts, reading.size, reading.size, 3), np.uint8)


def member(members: Mapping[str, bytes], suffix: str) -> bytes:
    """A sample's member, which it must have."""
    if suffix not in members:
        raise DatasetError(f"has no {suffix}")
    return members[suffix]
