"""Images -> theta, as estimates.h5 holds it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from facegen.dataset.resolving import cores
from facegen.errors import FacegenError, located
from facegen.files import Array
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.images import Framing, Read, decode, points_of
from facegen.learning.networks import FaceNet
from facegen.sampling.estimates import Estimates, Origin

Images = UInt8[Array, "N S S 3"]
Theta = Float32[Array, "N m"]
Estimator = Callable[[Images], Theta]
_HINT = "leave it out, or give --skip-bad"


@dataclass(frozen=True, eq=False)
class EstimateSettings:
    """How images are framed, and what becomes of unreadable ones.

    points: landmarks (68, 2) or boxes (2, 2) by key; None takes the middle of every image.
    """

    framing: Framing
    points: Mapping[str, Float32[Array, "P 2"]] | None = None
    skip_bad: bool = False
    batch: int = 64


@dataclass(frozen=True)
class Skipped:
    """An image that could not be used, and why."""

    key: str
    message: str


def estimator_of(network: FaceNet, device: torch.device) -> Estimator:
    """The network as a function."""
    network = network.to(device).eval()

    def estimator(images: Images) -> Theta:
        with torch.inference_mode():
            theta: Theta = network(torch.from_numpy(images).to(device)).cpu().numpy()
            return theta

    return estimator


def estimate(
    estimator: Estimator, images: Iterable[tuple[str, Read]], settings: EstimateSettings
) -> tuple[Estimates, list[Skipped]]:
    """Estimate every image, in order; unreadable ones are skipped where the settings say so."""
    keys: list[str] = []
    theta: list[Theta] = []
    skipped: list[Skipped] = []
    for batch in _decoded(images, settings):
        readable = [(key, item) for key, item in batch if not isinstance(item, FacegenError)]
        skipped += [Skipped(key, str(e)) for key, e in batch if isinstance(e, FacegenError)]
        if readable:
            keys += [key for key, _ in readable]
            theta.append(estimator(np.stack([pixels for _, pixels in readable])))
    if not keys:
        raise FacegenError("no image could be read", skipped[0].message if skipped else "give some")
    rows = np.concatenate(theta)
    if not np.isfinite(rows).all():
        worst = keys[int(np.argwhere(~np.isfinite(rows))[0, 0])]
        raise FacegenError(f"{worst}: the network's estimate is not finite", "train it further")
    return Estimates(rows, tuple(keys)), skipped


def origin_of(checkpoint: Checkpoint) -> Origin:
    """What estimates.h5 says of who made it."""
    layout = tuple((group.name, group.width) for group in checkpoint.layout.groups)
    model = checkpoint.model
    return Origin(layout, model.name, model.sha256, checkpoint.source)


def _decoded(
    images: Iterable[tuple[str, Read]], settings: EstimateSettings
) -> Iterator[list[tuple[str, UInt8[Array, "S S 3"] | FacegenError]]]:
    """Batches of decoded images by key; in place of an unreadable one its error."""
    images = iter(images)
    with ThreadPoolExecutor(cores()) as pool:
        while batch := list(islice(images, settings.batch)):
            pixels = pool.map(lambda item: _decode(item[0], item[1], settings), batch)
            yield [(key, item) for (key, _), item in zip(batch, pixels, strict=True)]


def _decode(
    key: str, read: Read, settings: EstimateSettings
) -> UInt8[Array, "S S 3"] | FacegenError:
    try:
        with located(key):
            points = None if settings.points is None else points_of(key, settings.points)
            return decode(_bytes(read), settings.framing, points)
    except FacegenError as error:
        if settings.skip_bad:
            return error
        error.hint = error.hint or _HINT
        raise


def _bytes(read: Read) -> bytes:
    try:
        return read()
    except OSError as error:
        raise FacegenError(error.strerror or str(error)) from None
