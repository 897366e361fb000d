"""A training in progress, and its steps."""

from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from facegen.learning import checkpoint
from facegen.learning.average import Average
from facegen.learning.batches import Reading
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.config import Preset
from facegen.learning.facts import Facts, NetworkError
from facegen.learning.labelled import Batch
from facegen.learning.networks import FaceNet
from facegen.learning.objective import Objective
from facegen.learning.optimisers import Optimisers, advance, optimisers_of, rates_of

CLIP = 1.0  # The longest gradient.
HINT = "use another --out, or remove this one"


@dataclass(eq=False)
class Run:
    """A training in progress: the network, its objective and optimisers, and the steps done."""

    network: FaceNet
    objective: Objective
    preset: Preset
    facts: Facts
    reading: Reading
    step: int = 0

    def __post_init__(self) -> None:
        self.optimisers: Optimisers = optimisers_of(
            self.preset.optimiser, self.network, self.preset.learning_rate
        )
        self.rate = rates_of(self.preset.optimiser, self.preset.iterations)
        self.average = Average(self.network, self.preset.average) if self.preset.average else None

    @property
    def best(self) -> FaceNet:
        """The network that is kept: the average where there is one."""
        return self.average.network if self.average else self.network

    def learn(self, batch: Batch) -> Tensor:
        """One step on a batch -> the loss before it."""
        self.network.train()
        self.network.zero_grad(set_to_none=True)
        kind = self.network.mean.device.type
        half = kind == "cuda" and torch.cuda.is_bf16_supported()
        with torch.autocast(kind, torch.bfloat16, enabled=half):
            estimate = self.network(batch.images)
        value: Tensor = self.objective(estimate, batch)
        value.backward()  # type: ignore[no-untyped-call]
        if self.preset.optimiser == "muon":
            nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        advance(self.optimisers, self.rate(self.step))
        if self.average:
            self.average.follow(self.step)
        self.step += 1
        return value.detach()

    def checkpoint(self) -> Checkpoint:
        """All of it, as a file holds it."""
        self.facts = msgspec.structs.replace(self.facts, step=self.step)
        progress: dict[str, Any] = {
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "random": checkpoint.random_state(),
        }
        if self.average:
            progress["network"] = self.network.state_dict()
        return Checkpoint(self.best, self.facts, progress)

    def resume(self, progress: dict[str, Any]) -> None:
        """Continue with the optimisers and the random numbers of a checkpoint."""
        self.step = self.facts.step
        try:
            if self.average:
                self.network.load_state_dict(progress["network"])
            states = progress["optimisers"]
            for optimiser, state in zip(self.optimisers, states, strict=True):
                optimiser.load_state_dict(state)
            checkpoint.set_random_state(progress["random"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise NetworkError(f"cannot be continued: {error!r}", HINT) from None
