"""A network as a function of images in memory."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from facegen.files import Array
from facegen.learning.mirror import mirrored
from facegen.learning.networks import FaceNet

Images = UInt8[Array, "N S S 3"]


class Found(NamedTuple):
    """What is estimated of N images, as Estimate has it; None for what a network does not say."""

    theta: Float32[Array, "N m"]
    sd: Float32[Array, "N m"] | None = None
    landmarks: Float32[Array, "N 68 2"] | None = None
    landmarks_sd: Float32[Array, "N 68"] | None = None
    visible: Float32[Array, "N 68"] | None = None


Estimator = Callable[[Images], Found]


def estimator_of(network: FaceNet, device: torch.device) -> Estimator:
    """The network as a function.

    Landmarks are the mean of those found in an image and in its mirror image.
    """
    network = network.to(device).eval()

    def run(images: torch.Tensor) -> Found:
        theta, *others = network(images)
        rest = (None if part is None else part.cpu().numpy() for part in others)
        return Found(theta.cpu().numpy(), *rest)

    def estimator(images: Images) -> Found:
        with torch.inference_mode():
            pixels = torch.from_numpy(images).to(device)
            found = run(pixels)
            return found if found.landmarks is None else averaged(found, run(pixels.flip(2)))

    return estimator


def averaged(found: Found, reflected: Found) -> Found:
    """What is found, its landmarks averaged with those of the mirror images."""
    assert found.landmarks is not None
    assert reflected.landmarks is not None
    return found._replace(landmarks=(found.landmarks + mirrored(reflected.landmarks)) / 2)


def in_parts(estimator: Estimator, images: Images, batch: int = 256) -> Found:
    """Estimate so many images at a time."""
    parts = [estimator(images[start : start + batch]) for start in range(0, len(images), batch)]
    return joined(parts)


def joined(parts: list[Found]) -> Found:
    """Estimates one after another."""
    theta, *others = zip(*parts, strict=True)
    rest = (None if column[0] is None else np.concatenate(column) for column in others)
    return Found(np.concatenate(theta), *rest)
