"""Images -> theta, as estimates.h5 holds it."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
from jaxtyping import UInt8

from facegen.dataset.resolving import cores
from facegen.errors import FacegenError, located
from facegen.files import Array
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.estimators import Estimator, Found, joined
from facegen.learning.images import Framing, Read, decode
from facegen.learning.points import PhotographPoints
from facegen.sampling.estimates import Estimates, Origin

_HINT = "leave it out, or give --skip-bad"


@dataclass(frozen=True, eq=False)
class EstimateSettings:
    """How images are framed, and what becomes of unreadable ones.

    points: landmarks or boxes of every image's faces; None takes the middle of every image.
    """

    framing: Framing
    points: PhotographPoints | None = None
    skip_bad: bool = False
    batch: int = 64


@dataclass(frozen=True)
class Skipped:
    """An image that could not be used, and why."""

    key: str
    message: str


def estimate(
    estimator: Estimator, images: Iterable[tuple[str, Read]], settings: EstimateSettings
) -> tuple[Estimates, list[Skipped]]:
    """Estimate every image, in order; unreadable ones are skipped where the settings say so."""
    keys: list[str] = []
    parts: list[Found] = []
    skipped: list[Skipped] = []
    for batch in _decoded(images, settings):
        readable = [(key, item) for key, item in batch if not isinstance(item, FacegenError)]
        skipped += [Skipped(key, str(e)) for key, e in batch if isinstance(e, FacegenError)]
        if readable:
            keys += [key for key, _ in readable]
            parts.append(estimator(np.stack([pixels for _, pixels in readable])))
    if not keys:
        raise FacegenError("no image could be read", skipped[0].message if skipped else "give some")
    rows = joined(parts).theta
    if not np.isfinite(rows).all():
        worst = keys[int(np.argwhere(~np.isfinite(rows))[0, 0])]
        raise FacegenError(f"{worst}: the network's estimate is not finite", "train it further")
    return Estimates(rows, tuple(keys)), skipped


def origin_of(checkpoint: Checkpoint) -> Origin:
    """What estimates.h5 says of who made it."""
    layout = tuple((group.name, group.width) for group in checkpoint.layout.groups)
    model = checkpoint.model
    return Origin(layout, model.name, model.sha256, checkpoint.source)


Item = UInt8[Array, "S S 3"] | FacegenError


def _decoded(
    images: Iterable[tuple[str, Read]], settings: EstimateSettings
) -> Iterator[list[tuple[str, Item]]]:
    """Batches of decoded faces by key; in place of an unreadable one its error."""
    images = iter(images)
    with ThreadPoolExecutor(cores()) as pool:
        while batch := list(islice(images, settings.batch)):
            faces = pool.map(lambda item: _faces(item[0], item[1], settings), batch)
            yield list(chain.from_iterable(faces))


def _faces(key: str, read: Read, settings: EstimateSettings) -> list[tuple[str, Item]]:
    """An image's faces: of several, each is named by its number, 'group.jpg#2'."""
    try:
        with located(key):
            every = (None,) if settings.points is None else settings.points.of(key)
            data = read()
            decoded = [decode(data, settings.framing, points) for points in every]
    except FacegenError as error:
        if settings.skip_bad:
            return [(key, error)]
        error.hint = error.hint or _HINT
        raise
    names = [key] if len(decoded) == 1 else [f"{key}#{n + 1}" for n in range(len(decoded))]
    return list(zip(names, decoded, strict=True))
