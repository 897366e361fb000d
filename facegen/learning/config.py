"""What a training is: settings that decide the weights, and settings that do not."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from facegen.errors import UsageError

NetworkName = Literal["alexnet", "resnet18", "resnet50", "resnet101"]
LossName = Literal["model-space", "parameter"]

NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)
LOSSES: tuple[LossName, ...] = get_args(LossName)
WIDTHS = (0.01, 4.0)
# The paper's, on its own model; the unit of its component scale is not known.
PAPER_WEIGHTS = {
    "rotation": 400.0,
    "shape": 50.0,
    "expression": 50.0,
    "reflectance": 100.0,
    "illumination": 20.0,
}

# Where files lie, how many steps, how often to save, on what: a step's weights are the same.
_FREE = ("shards", "out", "iterations", "every", "workers", "device", "model")


class NetworkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An architecture: a name of NETWORKS, its share of the channels, pixels a side, outputs."""

    name: NetworkName
    width: float
    size: int
    outputs: int
    dropout: float = 0.0


@dataclass(frozen=True)
class TrainingConfig:
    """What `facegen train` is asked for; None is a default that depends on the rest.

    network, width and dropout: those of `start` (--from), else AlexNet, 1 and 0. weights: of
    rotation, shape, expression, reflectance and illumination; those of `start`, else calibrated.
    """

    shards: tuple[Path, ...]
    out: Path
    network: NetworkName | None = None
    width: float | None = None
    dropout: float | None = None
    loss: LossName = LOSSES[0]
    weights: tuple[float, ...] | None = None
    batch: int = 32
    iterations: int = 75_000
    learning_rate: float = 0.2
    seed: int = 0
    validation: float = 0.05
    every: int = 1000
    workers: int | None = None
    device: str = "auto"
    pretrained: Path | None = None
    start: Path | None = None
    model: str | None = None
    recipe: str | None = None

    def deciding(self, hashes: dict[str, str | None]) -> dict[str, Any]:
        """All that decides the weights of a step, files by their hashes."""
        settings = {key: value for key, value in asdict(self).items() if key not in _FREE}
        weights = settings["weights"]
        return {**settings, "weights": list(weights) if weights else None, **hashes}


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
