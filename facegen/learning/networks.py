"""Networks from an image to theta, and to what else can be read off it."""

from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from facegen.errors import located
from facegen.learning import alexnet, resnet, small
from facegen.learning.alexnet import AlexNet
from facegen.learning.config import LANDMARK_HEADS, NETWORKS, WIDTHS, NetworkConfig
from facegen.learning.facts import NetworkError
from facegen.learning.heads import (
    Deviations,
    Estimate,
    LandmarkHeads,
    Standard,
    last_linear,
)
from facegen.learning.resnet import ResNet, initialise
from facegen.learning.small import Small

# Mean and standard deviation of ImageNet's images, which torchvision's weights expect.
PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_SD = (0.229, 0.224, 0.225)
SIZES = (24, 2048)


class FaceNet(nn.Module):
    """Images -> Estimate.

    theta = last(features of the image) * sd + mean, with the fixed mean and standard deviation (m,)
    of the training prior. Groups of theta differ in range a hundredfold (rotation 0.7, expression
    12): so every output has a spread of about one, whatever the loss, and an untrained network
    predicts the prior's mean.
    """

    mean: Tensor
    sd: Tensor
    pixel_mean: Tensor
    pixel_sd: Tensor

    def __init__(self, config: NetworkConfig, standard: Standard) -> None:
        super().__init__()
        self.config = config
        self.body = build(config)
        features = self.last.in_features
        if config.deviations:
            self.deviations = Deviations(features, config.outputs)
        if config.landmarks != "none":
            self.landmarks = LandmarkHeads(config, self.body.widths, features, standard)
        self.register_buffer("mean", torch.tensor(standard.mean, dtype=torch.float32))
        self.register_buffer("sd", torch.tensor(standard.sd, dtype=torch.float32))
        self.register_buffer("pixel_mean", 255 * torch.tensor(PIXEL_MEAN), persistent=False)
        self.register_buffer("pixel_sd", 255 * torch.tensor(PIXEL_SD), persistent=False)

    @property
    def spread(self) -> float:
        """That of landmarks, in shares of the image's side; 1 where there are none."""
        return self.landmarks.spread.item() if self.config.landmarks != "none" else 1.0

    @property
    def last(self) -> nn.Linear:
        """The layer that gives theta."""
        return cast(nn.Linear, self.body.get_submodule(last_layer(self.config)))

    def forward(self, images: UInt8[Tensor, "N H W 3"]) -> Estimate:
        # Channels stay last in memory, as decoded: the faster order for convolutions.
        maps = self.body.maps(((images - self.pixel_mean) / self.pixel_sd).permute(0, 3, 1, 2))
        vector = self.body.vector(maps)
        theta = self.last(vector).float() * self.sd + self.mean
        sd = self.deviations(vector) * self.sd if self.config.deviations else None
        if self.config.landmarks == "none":
            return Estimate(theta, sd)
        return Estimate(theta, sd, *self.landmarks(maps, vector))


def build(config: NetworkConfig) -> AlexNet | ResNet | Small:
    """The bare network, initialised for training from scratch."""
    check(config)
    small_one = config.name in small.WIDTHS
    kind = AlexNet if config.name == "alexnet" else Small if small_one else ResNet
    body = kind(config)
    initialise(body)
    last = cast(nn.Linear, body.get_submodule(last_layer(config)))
    last.load_state_dict(last_linear(last.in_features, last.out_features).state_dict())
    body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return body


def check(config: NetworkConfig) -> None:
    """Refuse what cannot be built."""
    if config.name not in NETWORKS:
        raise NetworkError(f"unknown network {config.name!r}", f"known: {', '.join(NETWORKS)}")
    if config.landmarks not in LANDMARK_HEADS:
        known = ", ".join(LANDMARK_HEADS)
        raise NetworkError(f"unknown landmarks {config.landmarks!r}", f"known: {known}")
    low, high = WIDTHS
    if not low <= config.width <= high:
        raise NetworkError(f"width {config.width} is not between {low} and {high}")
    if not 0 <= config.dropout < 1:
        raise NetworkError(f"dropout {config.dropout} is not between 0 and 1")
    if not (SIZES[0] <= config.size <= SIZES[1] and 1 <= config.outputs <= 100_000):
        raise NetworkError(f"no network of {config.size} pixels and {config.outputs} outputs")
    whole = config.size % small.MULTIPLE == 0 and config.size >= small.SMALLEST
    if config.name in small.WIDTHS and not whole:
        hint = f"render at a multiple of {small.MULTIPLE}, or give another --network"
        raise NetworkError(f"no {config.name} network of {config.size} pixels", hint)


def last_layer(config: NetworkConfig) -> str:
    """The name of the layer that gives theta."""
    return alexnet.LAST_LAYER if config.name == "alexnet" else resnet.LAST_LAYER


def load_pretrained(network: FaceNet, path: Path) -> None:
    """Take all but the last layer from a file of weights with torchvision's names."""
    last = last_layer(network.config)
    with located(path):
        weights = read_weights(path, "give a state_dict that torch.save made")
        loaded = {key: value for key, value in weights.items() if not key.startswith(f"{last}.")}
        expected = network.body.state_dict()
        fill(
            network.body,
            loaded | {key: expected[key] for key in expected if key.startswith(f"{last}.")},
        )


def read_weights(path: Path, hint: str) -> dict[str, Any]:
    """What torch.save wrote, if it is a dictionary of plain values; nothing in it is run."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise NetworkError(error.strerror or str(error), hint) from None
    except Exception:  # torch and its unpickler raise anything on what they did not write
        raise NetworkError("not a file of plain weights", hint) from None
    if not isinstance(weights, dict) or not all(isinstance(key, str) for key in weights):
        raise NetworkError("not a dictionary of weights", hint)
    return weights


def fill(module: nn.Module, weights: dict[str, Any]) -> None:
    """Load weights by name; NetworkError says in one line why they do not fit."""
    check_weights(module, weights)
    try:
        module.load_state_dict(weights, strict=False)
    except Exception as error:
        raise NetworkError(f"does not fit: {' '.join(str(error).split())}") from None


def check_weights(module: nn.Module, weights: dict[str, Any]) -> None:
    """Refuse weights that are not finite, or of other names and shapes than the module's."""
    expected = module.state_dict()
    for key, value in weights.items():
        if key in expected and (
            not isinstance(value, Tensor) or value.shape != expected[key].shape
        ):
            shape = tuple(getattr(value, "shape", ()))
            raise NetworkError(f"{key} is {shape}, but the network's {tuple(expected[key].shape)}")
        if isinstance(value, Tensor) and not torch.isfinite(value).all():
            raise NetworkError(f"{key} holds values that are not finite")
    # Files older than this counter of batches lack it; nothing depends on it.
    counter = "num_batches_tracked"
    missing = [key for key in expected if key not in weights and not key.endswith(counter)]
    unexpected = [key for key in weights if key not in expected]
    if missing or unexpected:
        lacking = f"lacks {missing[0]}" if missing else f"has {unexpected[0]}"
        raise NetworkError(f"{lacking}: weights of another network", "give the right --network")
