"""Photographs whose landmarks are marked, and the crops that a network sees of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.dataset.reader import Dataset
from facegen.errors import FacegenError
from facegen.files import Array
from facegen.learning.frames import Framing, cut
from facegen.learning.points import read_points
from facegen.learning.seen import SeenLandmarks
from facegen.rendering.pictures import opened, read_picture, upright_rgb
from facegen.scene.cameras import Cameras

MARKS = "landmarks.json"
# Each crop's shift right and down in shares of its side, and its size: the middle one first.
CROPS = ((0.0, 0.0, 1.0), (0.04, 0, 1.04), (-0.04, 0, 0.96), (0, 0.04, 0.96), (0, -0.04, 1.04))


@dataclass(frozen=True, eq=False)
class Photograph:
    """An encoded picture, and its 68 landmarks in pixels."""

    name: str
    data: bytes
    marked: Float32[Array, "68 2"]


@dataclass(frozen=True, eq=False)
class Crops:
    """One crop of each of N photographs; marked: the landmarks in shares of its side."""

    images: UInt8[Array, "N S S 3"]
    marked: Float32[Array, "N 68 2"]


def read_photographs(folder: Path) -> list[Photograph]:
    """The photographs that the folder's landmarks.json names, by name."""
    path = folder / MARKS
    if not path.is_file():
        raise FacegenError(f"{folder}: holds no {MARKS}", "give {file: [[x, y] x 68]}")
    points = read_points(path)
    return [
        Photograph(name, read_picture(folder / name), points.of(name)[0])
        for name in sorted(json.loads(path.read_text()))
    ]


def read_real(folder: Path, count: int) -> list[Photograph]:
    """The first test photographs of `real_domain.py`, marked where their theta projects."""
    dataset = Dataset(str(folder), split="test")
    samples = list(islice(dataset, count))
    cameras = Cameras(
        np.stack([sample.camera.model_to_camera for sample in samples]),
        np.stack([sample.camera.K for sample in samples]),
    )
    theta = np.stack([sample.vector for sample in samples])
    marked = SeenLandmarks(dataset.recipe).seen(theta, cameras)
    return [
        Photograph(sample.key, sample.members[dataset.recipe.image.format], marks)
        for sample, marks in zip(samples, marked, strict=True)
    ]


def crop(photographs: Sequence[Photograph], framing: Framing, number: int) -> Crops:
    """The photographs' crops of this number of CROPS, framed as a recipe frames its faces."""
    right, down, size = CROPS[number]
    framing = replace(framing, scale=framing.scale * size)
    images, marked = [], []
    for photograph in photographs:
        frame = framing.frame(photograph.marked)
        frame = replace(frame, u=frame.u + right * frame.side, v=frame.v + down * frame.side)
        with opened(photograph.data) as encoded:
            images.append(cut(upright_rgb(encoded), frame, framing.size))
        marked.append((photograph.marked - (frame.u, frame.v)) / frame.side + 0.5)
    return Crops(np.stack(images), np.stack(marked).astype(np.float32))


def every_crop(photographs: Sequence[Photograph], framing: Framing) -> list[Crops]:
    """The photographs in each of CROPS."""
    return [crop(photographs, framing, number) for number in range(len(CROPS))]
