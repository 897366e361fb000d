"""What a network estimates beside theta: its deviations, and the landmarks that people mark."""

from typing import NamedTuple

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from facegen.files import Array
from facegen.learning.config import NetworkConfig
from facegen.learning.resnet import initialise
from facegen.models.morphable_model import LANDMARKS

DECODER_WIDTH = 32
LAST_GAIN = 0.01
# Of the logarithm of a deviation, in units of what an untrained network answers.
LOWEST, HIGHEST = -6.0, 3.0


class Estimate(NamedTuple):
    """theta and its standard deviation; landmarks2d as u, v in shares of the image's side, theirs
    (of u and of v alike), and the probability that each is visible.

    None for what a network does not estimate.
    """

    theta: Float32[Tensor, "N m"]
    sd: Float32[Tensor, "N m"] | None = None
    landmarks: Float32[Tensor, "N 68 2"] | None = None
    landmarks_sd: Float32[Tensor, "N 68"] | None = None
    visible: Float32[Tensor, "N 68"] | None = None


class Standard(NamedTuple):
    """What estimates are standardised by: theta's mean and deviation; mean landmarks, their spread.

    Landmarks and spread are in shares of the image's side.
    """

    mean: Float32[Array, "m"]
    sd: Float32[Array, "m"]
    landmarks: Float32[Array, "68 2"] | None = None
    spread: float = 1.0


class Deviations(nn.Module):
    """How far off each of so many estimates may be: (N, n), in units of `scale`.

    Features are taken as they are: what is learned here changes no estimate.
    """

    def __init__(self, features: int, count: int) -> None:
        super().__init__()
        self.linear = last_linear(features, count)

    def forward(self, vector: Float32[Tensor, "N f"]) -> Float32[Tensor, "N n"]:
        logarithm: Tensor = self.linear(vector.detach()).float()
        return logarithm.clamp(LOWEST, HIGHEST).exp()


class LandmarkHeads(nn.Module):
    """Feature maps and their vector -> landmarks, their deviations, and which are visible."""

    spread: Tensor

    def __init__(
        self, config: NetworkConfig, widths: tuple[int, ...], features: int, standard: Standard
    ) -> None:
        super().__init__()
        assert standard.landmarks is not None
        self.register_buffer("spread", torch.tensor(standard.spread, dtype=torch.float32))
        self.places: nn.Module = (
            DirectLandmarks(features, torch.tensor(standard.landmarks, dtype=torch.float32))
            if config.landmarks == "direct"
            else HeatmapLandmarks(widths)
        )
        self.deviations = Deviations(features, LANDMARKS)
        self.visible = last_linear(features, LANDMARKS)

    def forward(
        self, maps: list[Tensor], vector: Float32[Tensor, "N f"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        visible: Tensor = self.visible(vector).float().sigmoid()
        places = self.places(maps, vector, self.spread)
        return places, self.deviations(vector) * self.spread, visible


class DirectLandmarks(nn.Module):
    """The features -> landmarks, as a linear step away from the mean ones."""

    mean: Tensor

    def __init__(self, features: int, mean: Float32[Tensor, "68 2"]) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.linear = last_linear(features, 2 * LANDMARKS)

    def forward(
        self, maps: list[Tensor], vector: Float32[Tensor, "N f"], spread: Tensor
    ) -> Float32[Tensor, "N 68 2"]:
        steps: Tensor = self.linear(vector).float().reshape(-1, LANDMARKS, 2)
        return steps * spread + self.mean


class HeatmapLandmarks(nn.Module):
    """The features -> a map for each landmark -> the mean place in it (soft-argmax).

    Coarse features are enlarged and added to finer ones (Lin et al., Feature Pyramid Networks,
    CVPR 2017); the mean place is that of Sun et al., Integral Human Pose Regression, ECCV 2018.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(width, DECODER_WIDTH, 1) for width in widths)
        self.maps = nn.Sequential(
            nn.Conv2d(DECODER_WIDTH, DECODER_WIDTH, 3, padding=1, bias=False),
            nn.BatchNorm2d(DECODER_WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv2d(DECODER_WIDTH, LANDMARKS, 1),
        )
        initialise(self)

    def forward(
        self, maps: list[Tensor], vector: Float32[Tensor, "N f"], spread: Tensor
    ) -> Float32[Tensor, "N 68 2"]:
        pairs = zip(self.lateral, maps, strict=True)
        *finer, x = (lateral(features) for lateral, features in pairs)
        for features in reversed(finer):
            x = functional.interpolate(x, size=features.shape[2:], mode="nearest") + features
        return mean_place(self.maps(x).float())


def mean_place(maps: Float32[Tensor, "N L s s"]) -> Float32[Tensor, "N L 2"]:
    """Maps of log likelihoods -> the mean place u, v, in shares of the side."""
    rows, columns = maps.shape[2:]
    likelihood = maps.flatten(2).softmax(2).reshape(maps.shape)
    u = (torch.arange(columns, device=maps.device) + 0.5) / columns
    v = (torch.arange(rows, device=maps.device) + 0.5) / rows
    return torch.stack([likelihood.sum(2) @ u, likelihood.sum(3) @ v], dim=2)


def last_linear(features: int, outputs: int) -> nn.Linear:
    """A last layer that answers about zero before it has learned."""
    last = nn.Linear(features, outputs)
    nn.init.normal_(last.weight, std=LAST_GAIN / features**0.5)
    nn.init.zeros_(last.bias)
    return last
