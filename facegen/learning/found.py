"""What is estimated of images in memory, by whatever network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.learning.facts import Facts
from facegen.learning.frames import Framing, framing_of
from facegen.learning.mirror import mirrored

Images = UInt8[Array, "N S S 3"]


class Found(NamedTuple):
    """theta of N images and its standard deviation; landmarks2d as u, v in shares of the side,
    theirs (of u and of v alike), and the probability that each is visible.

    None for what a network does not estimate.
    """

    theta: Float32[Array, "N m"]
    sd: Float32[Array, "N m"] | None = None
    landmarks: Float32[Array, "N 68 2"] | None = None
    landmarks_sd: Float32[Array, "N 68"] | None = None
    visible: Float32[Array, "N 68"] | None = None


Estimator = Callable[[Images], Found]


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network ready to estimate; source: the file's name and hash."""

    estimator: Estimator
    facts: Facts
    source: str

    @property
    def framing(self) -> Framing:
        """How the faces are cropped that it was trained on, on average."""
        return framing_of(self.facts.prior.camera, self.facts.network.size)


def averaging(run: Estimator) -> Estimator:
    """An estimator whose landmarks are the mean of those of an image and of its mirror image."""

    def estimator(images: Images) -> Found:
        found = run(images)
        if found.landmarks is None:
            return found
        reflected = run(np.ascontiguousarray(images[:, :, ::-1])).landmarks
        assert reflected is not None
        return found._replace(landmarks=(found.landmarks + mirrored(reflected)) / 2)

    return estimator


def in_parts(estimator: Estimator, images: Images, batch: int = 256) -> Found:
    """Estimate so many images at a time."""
    return joined(
        [estimator(images[start : start + batch]) for start in range(0, len(images), batch)]
    )


def joined(parts: list[Found]) -> Found:
    """Estimates one after another."""
    theta, *others = zip(*parts, strict=True)
    rest = (None if column[0] is None else np.concatenate(column) for column in others)
    return Found(np.concatenate(theta), *rest)
