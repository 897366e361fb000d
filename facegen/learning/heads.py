"""What the small network estimates: theta, and the landmarks that people mark."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import msgspec
import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional

from facegen.errors import UsageError
from facegen.files import Array
from facegen.learning.mirror import mirrored
from facegen.learning.small import STAGES, Trunk, initialise
from facegen.models.morphable_model import LANDMARKS

LandmarkHead = Literal["direct", "heatmaps"]
LANDMARK_HEADS: tuple[LandmarkHead, ...] = get_args(LandmarkHead)

GRID = 4  # Cells a side of what the linear heads see: where things are still counts.
SIDES = (32, 512)
MULTIPLE = 2 << STAGES  # What an image's side is one of: its features halve it so often.
DECODER_WIDTH = 32
LAST_GAIN = 0.01


class SmallConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The small network: theta's width, pixels a side, channels of the first stage, its landmarks.

    landmarks: direct (linear), or heatmaps with soft-argmax.
    """

    outputs: int
    size: int = 64
    width: int = 32
    landmarks: LandmarkHead = "direct"


class Standard(NamedTuple):
    """What estimates are standardised by: theta's mean and deviation; mean landmarks, their spread.

    Landmarks and spread are in shares of the image's side.
    """

    mean: Float32[Array, "m"]
    sd: Float32[Array, "m"]
    landmarks: Float32[Array, "68 2"]
    spread: float


class Estimate(NamedTuple):
    """theta, and landmarks2d as u, v in shares of the image's side."""

    theta: Float32[Tensor, "N m"]
    landmarks: Float32[Tensor, "N 68 2"]


class SmallNet(nn.Module):
    """Images (N, S, S, 3) uint8 -> Estimate.

    Every output has a spread of about one before it is scaled; an untrained network answers about
    the mean.
    """

    mean: Tensor
    sd: Tensor
    spread: Tensor

    def __init__(self, config: SmallConfig, standard: Standard) -> None:
        super().__init__()
        check(config)
        self.config = config
        self.register_buffer("mean", torch.tensor(standard.mean, dtype=torch.float32))
        self.register_buffer("sd", torch.tensor(standard.sd, dtype=torch.float32))
        self.register_buffer("spread", torch.tensor(standard.spread, dtype=torch.float32))
        self.trunk = Trunk(config.width)
        self.theta = linear(self.trunk, config.outputs)
        points = torch.tensor(standard.landmarks, dtype=torch.float32)
        self.landmarks: nn.Module = (
            DirectLandmarks(self.trunk, points, standard.spread)
            if config.landmarks == "direct"
            else HeatmapLandmarks(self.trunk)
        )

    def forward(self, images: UInt8[Tensor, "N S S 3"]) -> Estimate:
        features = self.trunk(images)
        return Estimate(self.theta(features[-1]) * self.sd + self.mean, self.landmarks(features))


class DirectLandmarks(nn.Module):
    """The last features -> landmarks, as a linear step away from the mean ones."""

    mean: Tensor

    def __init__(self, trunk: Trunk, mean: Float32[Tensor, "68 2"], spread: float) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.spread = spread
        self.linear = linear(trunk, 2 * LANDMARKS)

    def forward(self, features: list[Tensor]) -> Float32[Tensor, "N 68 2"]:
        steps: Tensor = self.linear(features[-1]).reshape(-1, LANDMARKS, 2)
        return steps * self.spread + self.mean


class HeatmapLandmarks(nn.Module):
    """The features -> a map for each landmark -> the mean place in it (soft-argmax).

    Coarse features are enlarged and added to finer ones (Lin et al., Feature Pyramid Networks,
    CVPR 2017); the mean place is that of Sun et al., Integral Human Pose Regression, ECCV 2018.
    """

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(width, DECODER_WIDTH, 1) for width in trunk.widths)
        self.maps = nn.Sequential(
            nn.Conv2d(DECODER_WIDTH, DECODER_WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(DECODER_WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv2d(DECODER_WIDTH, LANDMARKS, 1),
        )
        initialise(self)

    def forward(self, features: list[Tensor]) -> Float32[Tensor, "N 68 2"]:
        *finer, x = (
            lateral(feature) for lateral, feature in zip(self.lateral, features, strict=True)
        )
        for feature in reversed(finer):
            x = functional.interpolate(x, size=feature.shape[2:], mode="nearest") + feature
        return mean_place(self.maps(x))


def mean_place(maps: Float32[Tensor, "N L s s"]) -> Float32[Tensor, "N L 2"]:
    """Maps of log likelihoods -> the mean place u, v, in shares of the side."""
    rows, columns = maps.shape[2:]
    likelihood = maps.flatten(2).softmax(2).reshape(maps.shape)
    u = (torch.arange(columns, device=maps.device) + 0.5) / columns
    v = (torch.arange(rows, device=maps.device) + 0.5) / rows
    return torch.stack([likelihood.sum(2) @ u, likelihood.sum(3) @ v], dim=2)


def linear(trunk: Trunk, outputs: int) -> nn.Sequential:
    """A linear map of the last features, pooled onto a grid."""
    last = nn.Linear(trunk.widths[-1] * GRID**2, outputs)
    nn.init.normal_(last.weight, std=LAST_GAIN / last.in_features**0.5)
    nn.init.zeros_(last.bias)
    return nn.Sequential(Pooled(), nn.Flatten(), last)


class Pooled(nn.Module):
    """Features of any side as the means in the cells of a grid."""

    def forward(self, features: Float32[Tensor, "N c s s"]) -> Float32[Tensor, "N c g g"]:
        if features.shape[2:] == (GRID, GRID):
            return features
        return functional.adaptive_avg_pool2d(features, GRID)


def check(config: SmallConfig) -> None:
    """Refuse what cannot be built."""
    low, high = SIDES
    if config.landmarks not in LANDMARK_HEADS:
        known = ", ".join(LANDMARK_HEADS)
        raise UsageError(f"unknown landmarks {config.landmarks!r}", f"known: {known}")
    if not low <= config.size <= high or config.size % MULTIPLE:
        raise UsageError(f"no small network of {config.size} pixels", f"a multiple of {MULTIPLE}")
    if not (2 <= config.width <= 256 and 1 <= config.outputs <= 100_000):
        raise UsageError(f"no network of width {config.width} and {config.outputs} outputs")


def estimate_faces(
    network: SmallNet, images: UInt8[Array, "N S S 3"], batch: int = 256
) -> tuple[Float32[Array, "N m"], Float32[Array, "N 68 2"]]:
    """theta and landmarks (shares of the side) of images, so many at a time.

    Landmarks are the mean of those found in an image and in its mirror image.
    """
    network.eval()
    with torch.inference_mode():
        parts = list(_estimates(network, images, batch))
    theta, landmarks = zip(*parts, strict=True)
    return np.concatenate(theta), np.concatenate(landmarks)


def _estimates(
    network: SmallNet, images: UInt8[Array, "N S S 3"], batch: int
) -> Iterator[tuple[Array, Array]]:
    device = network.mean.device
    for start in range(0, len(images), batch):
        part = torch.from_numpy(images[start : start + batch]).to(device)
        found, reflected = network(part), network.landmarks(network.trunk(part.flip(2)))
        landmarks = (found.landmarks.cpu().numpy() + mirrored(reflected.cpu().numpy())) / 2
        yield found.theta.cpu().numpy(), landmarks
