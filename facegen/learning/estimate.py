"""Photographs -> theta, as estimates.h5 holds it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from facegen.errors import FacegenError, located
from facegen.estimates import Estimates, Origin
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.networks import FaceNet
from facegen.learning.pictures import Framing, Read, UInt8, decode, points_of
from facegen.parameters import Float32

Estimator = Callable[[UInt8], Float32]
_MEND = "leave it out, or give --skip-bad"


@dataclass(frozen=True, eq=False)
class EstimateSettings:
    """How pictures are framed, and what becomes of unreadable ones.

    points: landmarks (68, 2) or boxes (2, 2) by key; None takes the middle of every picture.
    """

    framing: Framing
    points: Mapping[str, Float32] | None = None
    skip_bad: bool = False
    batch: int = 64


@dataclass(frozen=True)
class Bad:
    """A picture that could not be used, and why."""

    key: str
    why: str


def estimator_of(network: FaceNet, device: torch.device) -> Estimator:
    """The network as a function: pictures (N, S, S, 3) uint8 -> theta (N, m) float32."""
    network = network.to(device).eval()

    def estimator(images: UInt8) -> Float32:
        with torch.inference_mode():
            return network(torch.from_numpy(images).to(device)).cpu().numpy()

    return estimator


def estimate(
    estimator: Estimator, pictures: Iterable[tuple[str, Read]], settings: EstimateSettings
) -> tuple[Estimates, list[Bad]]:
    """Estimate every picture, in order; the bad ones are left out if they may be."""
    keys: list[str] = []
    theta: list[Float32] = []
    bad: list[Bad] = []
    for batch in _decoded(pictures, settings):
        good = [(key, pixels) for key, pixels in batch if not isinstance(pixels, FacegenError)]
        bad += [Bad(key, str(why)) for key, why in batch if isinstance(why, FacegenError)]
        if good:
            keys += [key for key, _ in good]
            theta.append(estimator(np.stack([pixels for _, pixels in good])))
    if not keys:
        raise FacegenError("no picture could be read", bad[0].why if bad else "give some")
    rows = np.concatenate(theta)
    if not np.isfinite(rows).all():
        worst = keys[int(np.argwhere(~np.isfinite(rows))[0, 0])]
        raise FacegenError(f"{worst}: the network's estimate is not finite", "train it further")
    return Estimates(rows, tuple(keys)), bad


def origin_of(checkpoint: Checkpoint) -> Origin:
    """What estimates.h5 says of who made it."""
    layout = tuple((group.name, group.width) for group in checkpoint.layout.groups)
    model = checkpoint.model
    return Origin(layout, model.name, model.sha256, checkpoint.source)


def _decoded(
    pictures: Iterable[tuple[str, Read]], settings: EstimateSettings
) -> Iterator[list[tuple[str, UInt8 | FacegenError]]]:
    """Batches of decoded pictures by key; in place of a bad one what is wrong with it."""
    pictures = iter(pictures)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(islice(pictures, settings.batch)):
            pixels = pool.map(lambda item: _decode(item[0], item[1], settings), batch)
            yield [(key, one) for (key, _), one in zip(batch, pixels, strict=True)]


def _decode(key: str, read: Read, settings: EstimateSettings) -> UInt8 | FacegenError:
    try:
        with located(key):
            points = None if settings.points is None else points_of(key, settings.points)
            return decode(_bytes(read), settings.framing, points)
    except FacegenError as error:
        if settings.skip_bad:
            return error
        error.mend = error.mend or _MEND
        raise


def _bytes(read: Read) -> bytes:
    try:
        return read()
    except OSError as error:
        raise FacegenError(error.strerror or str(error)) from None
