"""One row with one seed: rendered, trained, measured."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import numpy as np
import torch
from jaxtyping import Float, Float32

import facegen
from facegen.dataset.spec import DatasetSpec
from facegen.errors import FacegenError
from facegen.files import Array, sha256_of
from facegen.learning import checkpoint
from facegen.learning.batches import reading_of, stream
from facegen.learning.config import TrainingConfig
from facegen.learning.estimators import estimator_of
from facegen.learning.found import Estimator, in_parts
from facegen.learning.frames import framing_of
from facegen.learning.labelled import LAYER, LabelledFaces, decoded
from facegen.learning.metrics import aligned, nme
from facegen.learning.seen import SeenLandmarks
from facegen.learning.train import train
from facegen.learning.training_set import open_training_set
from facegen.rendering.devices import renderer_of
from transfer_parts.photographs import MARKS, Crops, every_crop, read_photographs, read_real
from transfer_parts.rows import Row

TRAINED, HELD_OUT = 30_000, 1_000
REAL = 200
SEEDS = {"train": 1, "held-out": 2}
DECIMALS = 4
EVERY = 500  # Steps between what is saved.

Figures = list[list[float]]


@dataclass(frozen=True)
class Task:
    """What all rows share: the photographs, the folder of work, minutes a training, the counts."""

    photographs: Path
    work: Path
    minutes: float
    real: Path | None = None
    trained: int = TRAINED
    held_out: int = HELD_OUT


class Judgement(msgspec.Struct, frozen=True):
    """NME of each picture (68 landmarks, inner 51), in percent, the mean over its crops.

    direct: of the estimated landmarks, as they are; theta: of those projected from theta, aligned;
    mean and mean_aligned: of the training set's mean landmarks, as they are and aligned.
    """

    direct: Figures
    theta: Figures
    mean: Figures
    mean_aligned: Figures


class Result(msgspec.Struct, frozen=True):
    """What a row reached with a seed: on renderings held out, the photographs, the real domain.

    direct and theta: the landmarks found in the middle crops, in shares of their sides.
    """

    row: str
    seed: int
    domain: Judgement
    photographs: Judgement
    real: Judgement | None
    direct: list[list[list[float]]]
    theta: list[list[list[float]]]


def network_name(row: Row, seed: int, task: Task) -> str:
    """A network's name, which changes with whatever decides its weights."""
    config = training(row, seed, task, Path())
    settled = config.settled(None).deciding({"faces": task.trained, "size": row.size})
    return f"{row.key}-seed{seed}-{_short(row.stated.fingerprint, settled, renderer_of(['cpu']))}"


def result_name(row: Row, seed: int, task: Task) -> str:
    """A result's name, which changes with what the network was measured on, too."""
    real = task.real and sorted(sha256_of(tar) for tar in task.real.glob("test-*.tar"))
    measured = _short(task.held_out, sha256_of(task.photographs / MARKS), real)
    return f"{network_name(row, seed, task)}-{measured}"


def render(row: Row, task: Task) -> None:
    """Render what the row trains on, and what is held out; rows of one recipe share them."""
    print(f"rendering what is missing for {row.name}", flush=True)
    for split, count in (("train", task.trained), ("held-out", task.held_out)):
        summary = facegen.generate(
            DatasetSpec(
                recipe=row.stated,
                count=count,
                out=_folder(row, task, split),
                seed=SEEDS[split],
                size=row.size,
                layers=(LAYER,),
            )
        )
        if summary.failed:
            raise FacegenError(f"{row.name}: {summary.failed[0]}")


def perform(row: Row, seed: int, task: Task) -> Result:
    """Train the row's network with this seed, or go on with it, and measure it; on one thread."""
    torch.set_num_threads(1)
    path = task.work / "networks" / f"{network_name(row, seed, task)}.pt"
    train(training(row, seed, task, path), partial(print, flush=True))
    network, held_out = checkpoint.load(path).network, read_faces(_folder(row, task, "held-out"))
    estimator = estimator_of(network, torch.device("cpu"))
    judge = Judge(estimator, SeenLandmarks(row.stated), mean_of(held_out))
    framing = framing_of(row.stated.camera, row.size)
    crops = every_crop(read_photographs(task.photographs), framing)
    real = task.real and judge.of(every_crop(read_real(task.real, REAL), framing))
    domain = judge.of([Crops(held_out.images, held_out.landmarks)])
    points = (_listed(found) for found in judge.points(crops[0]))
    return Result(row.name, seed, domain, judge.of(crops), real or None, *points)


def training(row: Row, seed: int, task: Task, path: Path) -> TrainingConfig:
    """What the row's network is trained by."""
    return TrainingConfig(
        (_folder(row, task, "train"),),
        path,
        landmarks=row.landmarks,
        iterations=row.steps(task.minutes),
        augmentation=row.augmentation,
        seed=seed,
        validation=0.0,
        every=EVERY,
        device="cpu",
    )


def mean_of(faces: LabelledFaces) -> Float32[Array, "68 2"]:
    """The mean landmarks, which a mean face would answer."""
    return faces.landmarks.mean(axis=0)


def read_faces(folder: Path) -> LabelledFaces:
    """All faces of a data set."""
    reading = reading_of(open_training_set([folder]), 0.0, landmarks=True)
    return decoded(list(stream(reading.paths, reading.kind, None)), reading.kind)


def end_with_parent() -> None:
    """In a process that trains: leave when the one that started it is gone, however that ended."""
    parent = parent_process()
    if parent:
        Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


@dataclass(frozen=True, eq=False)
class Judge:
    """A network, and what its estimates are compared by."""

    estimator: Estimator
    geometry: SeenLandmarks
    mean: Float32[Array, "68 2"]

    def points(self, crops: Crops) -> tuple[Float[Array, "N 68 2"], Float[Array, "N 68 2"]]:
        """The landmarks found, and those of theta, aligned with the marked ones."""
        found = in_parts(self.estimator, crops.images)
        assert found.landmarks is not None
        return found.landmarks, aligned(self.geometry.landmarks(found.theta), crops.marked)

    def of(self, every: Sequence[Crops]) -> Judgement:
        """The errors, their mean over several crops of the same pictures."""
        rows = []
        for crops in every:
            marked = crops.marked
            mean = np.broadcast_to(self.mean, marked.shape)
            found = (*self.points(crops), mean, aligned(mean, marked))
            rows.append([nme(points, marked) for points in found])
        return Judgement(*(np.mean(errors, axis=0).tolist() for errors in zip(*rows, strict=True)))


def _folder(row: Row, task: Task, split: str) -> Path:
    """Where a row's faces lie."""
    name = f"{row.recipe}-{row.size}px-{row.stated.fingerprint[:8]}"
    return task.work / "faces" / name / split


def _listed(points: Float[Array, "N 68 2"]) -> list[list[list[float]]]:
    return np.round(points.astype(np.float64), DECIMALS).tolist()


def _short(*values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:8]
