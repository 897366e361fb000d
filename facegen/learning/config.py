"""What a training is: settings that decide the weights, and settings that do not."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from facegen.errors import UsageError

NetworkName = Literal["small", "medium", "large", "alexnet", "resnet18", "resnet50", "resnet101"]
LossName = Literal["model-space", "parameter"]
PresetName = Literal["modern", "paper"]
LandmarkHead = Literal["none", "direct", "heatmaps"]
OptimiserName = Literal["muon", "adadelta"]
Crop = Literal["detect", "given", "whole"]

NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)
LOSSES: tuple[LossName, ...] = get_args(LossName)
CROPS: tuple[Crop, ...] = get_args(Crop)
LANDMARK_HEADS: tuple[LandmarkHead, ...] = get_args(LandmarkHead)
WIDTHS = (0.01, 4.0)
# The paper's, on its own model; the unit of its component scale is not known.
PAPER_WEIGHTS = {
    "rotation": 400.0,
    "shape": 50.0,
    "expression": 50.0,
    "reflectance": 100.0,
    "illumination": 20.0,
}


class NetworkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An architecture: a name of NETWORKS, its share of the channels, pixels a side, theta's width.

    landmarks: how they are found, direct (linear) or heatmaps (soft-argmax); deviations: whether
    theta's are estimated, too.
    """

    name: NetworkName
    width: float
    size: int
    outputs: int
    dropout: float = 0.0
    landmarks: LandmarkHead = "none"
    deviations: bool = False


@dataclass(frozen=True)
class Preset:
    """What of a training is decided together; all but the last row can be asked for otherwise.

    augmentation: how strongly images are changed, 0 to 1. deviations: whether the network
    estimates them; moved: whether crops are moved and mirrored; average: the decay of the weights'
    exponential moving average, 0 for none.
    """

    network: NetworkName
    landmarks: LandmarkHead
    batch: int
    iterations: int
    learning_rate: float
    augmentation: float
    optimiser: OptimiserName
    deviations: bool
    moved: bool
    average: float


# Of as many faces, small batches find landmarks better: 12.0 % on photographs with 64 a batch,
# 10.9 with 32, 10.4 with 16, which are slower. Of augmentation: after 3,000 steps 10.6 % with 1,
# 9.9 with 0.5.
PRESETS: dict[PresetName, Preset] = {
    "modern": Preset("small", "direct", 32, 20_000, 3e-3, 0.5, "muon", True, True, 0.999),
    "paper": Preset("alexnet", "none", 32, 75_000, 0.2, 0.0, "adadelta", False, False, 0.0),
}


@dataclass(frozen=True)
class TrainingConfig:
    """What `facegen train` is asked for; None is a default that depends on the rest.

    network, width, dropout and landmarks: those of `start` (--from), else the preset's, 1 and 0;
    landmarks, batch, iterations, learning_rate and augmentation: the preset's. weights: of
    rotation, shape, expression, reflectance and illumination; those of `start`, else calibrated.
    """

    shards: tuple[Path, ...]
    out: Path
    preset: PresetName = "modern"
    network: NetworkName | None = None
    width: float | None = None
    dropout: float | None = None
    landmarks: LandmarkHead | None = None
    loss: LossName = LOSSES[0]
    weights: tuple[float, ...] | None = None
    batch: int | None = None
    iterations: int | None = None
    learning_rate: float | None = None
    augmentation: float | None = None
    seed: int = 0
    validation: float = 0.05
    every: int = 1000
    workers: int | None = None
    device: str = "auto"
    pretrained: Path | None = None
    start: Path | None = None
    model: str | None = None
    recipe: str | None = None

    def settled(self, start: NetworkConfig | None) -> "Settled":
        """With all that was left open decided; `start` is the network of --from."""
        preset = PRESETS[self.preset]
        base = start or NetworkConfig(
            preset.network, 1.0, 0, 0, 0.0, preset.landmarks, preset.deviations
        )
        network = self._asked("width", "dropout", "landmarks")
        if self.network:
            network["name"] = self.network
        training = self._asked("batch", "iterations", "learning_rate", "augmentation")
        return Settled(self, replace(preset, **training), msgspec.structs.replace(base, **network))

    def _asked(self, *names: str) -> dict[str, Any]:
        """Those of these settings that were not left open."""
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Settled:
    """A training with nothing left open."""

    asked: TrainingConfig
    preset: Preset
    network: NetworkConfig

    def deciding(self, hashes: dict[str, Any]) -> dict[str, Any]:
        """All that decides the weights of a step, files by their hashes."""
        preset, network = asdict(self.preset), msgspec.to_builtins(self.network)
        if self.preset.optimiser == "adadelta":  # Its rate does not depend on the end.
            del preset["iterations"]
        network["network"] = network.pop("name")
        asked = {name: getattr(self.asked, name) for name in ("loss", "seed", "validation")}
        weights = self.asked.weights and list(self.asked.weights)
        return {**preset, **network, **asked, "weights": weights, **hashes}


def parse_weights(text: str) -> tuple[float, ...]:
    """'400,50,50,100,20' or '400/50/50/100/20': one weight a group, in the order of theta."""
    try:
        weights = tuple(float(number) for number in text.replace("/", ",").split(","))
    except ValueError:
        weights = ()
    valid = len(weights) == len(PAPER_WEIGHTS) and all(0 <= w < 1e9 for w in weights)
    if not valid:
        names = ", ".join(PAPER_WEIGHTS)
        raise UsageError(f"--weights: {text!r} is not five numbers", f"give those of {names}")
    return weights
