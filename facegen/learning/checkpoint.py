"""Checkpoints: a network, and all that is needed to build it again and to continue its training."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from facegen.errors import FacegenError, located
from facegen.files import sha256_of, written_whole
from facegen.learning.facts import Facts, NetworkError, read_facts
from facegen.learning.heads import Standard
from facegen.learning.networks import FaceNet, check, check_weights, fill, read_weights
from facegen.models.morphable_model import LANDMARKS

_HINT = "give a file that `facegen train` wrote"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with its facts; progress is the state of the optimiser and the random numbers."""

    network: FaceNet
    facts: Facts
    progress: dict[str, Any] = field(default_factory=dict)
    path: Path = Path()

    @property
    def source(self) -> str:
        """The file's name and hash."""
        return f"{self.path.name} sha256 {sha256_of(self.path)}"


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    content = {
        "facts": msgspec.json.encode(checkpoint.facts).decode(),
        "network": checkpoint.network.state_dict(),
        "progress": checkpoint.progress,
    }
    with located(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as temporary:
                torch.save(content, temporary)
        except (OSError, RuntimeError) as error:  # torch's writer raises what the disk refuses
            message = getattr(error, "strerror", None) or str(error)
            raise FacegenError(message, "give a file to write to") from None


def load(path: Path) -> Checkpoint:
    """Read a checkpoint that anybody may have made: nothing in it is run."""
    with located(path):
        content = read_weights(path, _HINT)
        try:
            facts = read_facts(content["facts"], _HINT)
            weights, progress = content["network"], content["progress"]
        except (KeyError, TypeError) as error:
            raise NetworkError(f"not a checkpoint of facegen: {error!r}", _HINT) from None
        network = built(facts, weights)
        network.eval()
        return Checkpoint(network, facts, progress, path)


def built(facts: Facts, weights: Any) -> FaceNet:
    """The network that the facts describe, with these weights, which must be its own."""
    check(facts.network)
    if not isinstance(weights, dict):
        raise NetworkError("not a dictionary of weights", _HINT)
    zeros = np.zeros(facts.network.outputs, np.float32)
    standard = Standard(zeros, zeros, np.zeros((LANDMARKS, 2), np.float32))
    with torch.device("meta"):  # Nothing is made that the file does not hold.
        check_weights(FaceNet(facts.network, standard), weights)
    network = FaceNet(facts.network, standard)
    fill(network, weights)
    return network


def random_state() -> dict[str, Any]:
    """The state of the random numbers that dropout uses."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def set_random_state(state: dict[str, Any]) -> None:
    """Continue with the random numbers from this state."""
    torch.set_rng_state(state["cpu"])
    if len(state["cuda"]) == torch.cuda.device_count() and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
