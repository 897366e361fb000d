"""Shards -> batches for training and validation: read as tar streams, decoded into one array."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from facegen.dataset.resolving import cores
from facegen.dataset.shards import KEY_DIGITS, Encoded
from facegen.dataset.streaming import Choice, every_sample, stream_samples
from facegen.errors import DatasetError, FacegenError
from facegen.files import Array
from facegen.imaging.augmentation import Strength, augment
from facegen.learning.labelled import Batch, Kind, LabelledFaces, decoded
from facegen.learning.moves import Moves, draw_moves, moved
from facegen.learning.training_set import TrainingSet
from facegen.recipe.plan import identities_of
from facegen.recipe.recipe import Recipe

HELD_OUT_MOST = 1000
MOST_WORKERS = 12
AHEAD = 4
NOT_MOVED = Moves()


@dataclass(frozen=True)
class Reading:
    """What to read, and into what.

    validation: the share that is held out, of the samples or, where the recipe of their folder has
    them, of the identities, so that no identity is both trained on and held out.
    """

    paths: tuple[Path, ...]
    kind: Kind
    validation: float
    recipes: Mapping[Path, Recipe]

    def held_out(self, path: Path, key: str) -> bool:
        """Whether the sample of this shard and key is held out."""
        share = self.validation
        return share > 0 and held_out(key, self.recipes[path.parent], share)

    def trained_on(self, path: Path, key: str) -> bool:
        """Whether it is not."""
        return not self.held_out(path, key)


def reading_of(training_set: TrainingSet, validation: float, landmarks: bool) -> Reading:
    """How a training set is read; with shards of validation, no other sample is held out."""
    image = training_set.image
    kind = Kind(image.format, image.size, training_set.layout, landmarks)
    share = 0.0 if training_set.validation else validation
    return Reading(training_set.shards, kind, share, training_set.recipes)


@dataclass(frozen=True)
class Changes:
    """How faces are changed on their way: moved in their crops, and with another appearance.

    augmentation: how strongly, 0 to 1.
    """

    moves: Moves = NOT_MOVED
    augmentation: float = 0.0
    seed: int = 0

    @cached_property
    def strength(self) -> Strength:
        """How often appearances change, and how much."""
        return Strength().scaled(self.augmentation)

    def of(self, faces: LabelledFaces, number: int) -> LabelledFaces:
        """The faces of the batch of this number, changed: a pure function of (self, faces, number).

        Those that are not moved are changed in place.
        """
        if self.moves != NOT_MOVED:
            rng = np.random.default_rng((self.seed, 1, number))
            faces = moved(faces, draw_moves(self.moves, rng, len(faces)))
        if self.augmentation:
            augment(faces.images, self.strength, self.seed, number)
        return faces


@dataclass(frozen=True)
class Order:
    """Which batches: of what size, in the order that follows from a seed, from which number on."""

    batch: int
    seed: int
    start: int = 0


class Batches(IterableDataset[Batch | FacegenError]):
    """Batches `start`, `start` + 1, ... of an endless stream.

    Workers give batches in turn. Each reads all shards over and over, in orders of its own that
    follow from (seed, worker, epoch): so that any batch can be had again, with as many workers.
    Images are decoded into the same few arrays in turn, for fresh memory costs as much as decoding:
    a batch is valid until AHEAD more are asked for. An error is given in place of a batch, because
    one that is raised would lose its message on its way from a worker.
    """

    def __init__(self, reading: Reading, order: Order, changes: Changes) -> None:
        self.reading, self.order, self.changes = reading, order, changes

    def __iter__(self) -> Iterator[Batch | FacegenError]:
        info = get_worker_info()
        number, workers = (info.id, info.num_workers) if info else (0, 1)
        start, batch = self.order.start, self.order.batch
        turn = (start + number) % workers
        earlier = len(range(turn, start, workers))
        samples = endless(self.reading, f"{self.order.seed}/{turn}", batch * earlier)
        memory = allocated(self.reading.kind, AHEAD + 2, batch)
        try:
            for step, images in zip(count(start + number, workers), cycle(memory), strict=False):
                faces = decoded(list(islice(samples, batch)), self.reading.kind, images)
                yield self.changes.of(faces, step).tensors()
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
        yield item.to(device)


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
        for sample in stream(reading.paths, reading.kind, order, reading.trained_on):
            position += 1
            if position > skip:
                yield sample
        skip, length = max(0, skip - position), position
        if not length:
            raise DatasetError("no samples are left for training", "lower --validation")


def validation_samples(training_set: TrainingSet, reading: Reading) -> list[Encoded]:
    """Up to HELD_OUT_MOST samples never trained on, encoded: they stay in memory."""
    if training_set.validation:
        samples = stream(training_set.validation, reading.kind, None)
    else:
        samples = stream(reading.paths, reading.kind, None, reading.held_out)
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
    paths: Sequence[Path], kind: Kind, seed: str | None, choose: Choice = every_sample
) -> Iterator[Encoded]:
    """One pass over what is read of the samples of shards, shuffled by the seed."""
    return stream_samples(paths, kind.suffixes, seed, choose)


def in_batches(samples: Iterable[Encoded], kind: Kind, size: int) -> Iterator[LabelledFaces]:
    """Encoded samples decoded, `size` at a time, the last batch smaller."""
    samples = iter(samples)
    while rows := list(islice(samples, size)):
        yield decoded(rows, kind)


def allocated(kind: Kind, *counts: int) -> UInt8[Array, "*N S S 3"]:
    """Memory for so many images."""
    return np.empty((*counts, kind.size, kind.size, 3), np.uint8)
