"""What moves the weights, and how fast: the paper's AdaDelta, or Muon and AdamW in one cycle."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from facegen.learning.config import OptimiserName
from facegen.learning.muon import Muon
from facegen.learning.networks import FaceNet

# Of one cycle: the share of the steps over which rates rise, and by what they are divided.
WARM_UP = 0.15
DIVIDED_AT_START, DIVIDED_AT_END = 25, 1000
# Muon's rate for one of AdamW; how fast weights decay under both.
BLOCK_RATE = 0.1 / 3e-3
WEIGHT_DECAY = 0.05

Optimisers = tuple[torch.optim.Optimizer, ...]
Rates = Callable[[int], float]


def optimisers_of(name: OptimiserName, network: FaceNet, learning_rate: float) -> Optimisers:
    """Those of this name, at their highest rates."""
    if name == "adadelta":
        made: Optimisers = (torch.optim.Adadelta(network.parameters(), lr=learning_rate),)
    else:
        made = (muon_of(network, learning_rate), adam_of(network, learning_rate))
    for optimiser in made:
        for group in optimiser.param_groups:
            group["highest"] = group["lr"]
    return made


def rates_of(name: OptimiserName, steps: int) -> Rates:
    """The learning rates of a step, as a share of the highest.

    They are constant, or rise and fall as cosines (Smith & Topin, Super-Convergence, 2018).
    """
    return (lambda step: 1.0) if name == "adadelta" else (lambda step: one_cycle(step, steps))


def one_cycle(step: int, steps: int) -> float:
    """The share of the highest rate that a step of so many has."""
    rising = max(1.0, WARM_UP * steps)
    ends, share = (
        (DIVIDED_AT_START, 1 - step / rising)
        if step < rising
        else (DIVIDED_AT_END, (step - rising) / max(1.0, steps - rising))
    )
    return 1 / ends + (1 - 1 / ends) * (1 + math.cos(math.pi * min(1.0, share))) / 2


def advance(optimisers: Optimisers, share: float) -> None:
    """One step at this share of the highest rates."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["highest"] * share
        optimiser.step()


def muon_of(network: FaceNet, learning_rate: float) -> Muon:
    """Muon, for the convolutions after the first."""
    return Muon(convolutions(network), BLOCK_RATE * learning_rate, WEIGHT_DECAY)


def adam_of(network: FaceNet, learning_rate: float) -> torch.optim.Optimizer:
    """AdamW, for the rest; biases and the scales of norms do not decay."""
    apart = set(convolutions(network))
    rest = [parameter for parameter in network.parameters() if parameter not in apart]
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in rest if parameter.ndim > 1]},
        {"params": [parameter for parameter in rest if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, learning_rate, weight_decay=WEIGHT_DECAY)


def convolutions(network: FaceNet) -> list[nn.Parameter]:
    """The body's convolutions after the first."""
    return [parameter for parameter in network.body.parameters() if parameter.ndim == 4][1:]
