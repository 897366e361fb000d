"""Checkpoints: a network, and all that is needed to build it again and to continue its training."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from facegen.dataset.index import ModelEntry
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import sha256_of, written_whole
from facegen.learning.config import NetworkConfig
from facegen.learning.heads import Standard
from facegen.learning.networks import (
    FaceNet,
    NetworkError,
    check,
    check_weights,
    fill,
    read_weights,
)
from facegen.models.morphable_model import LANDMARKS
from facegen.recipe.recipe import Recipe, from_record
from facegen.scene.parameters import Layout, layout_from_json

FORMAT = 1
_HINT = "give a file that `facegen train` wrote"


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint says beside its tensors.

    recipe: {"name": ..., **table}; layout: [[group, width], ...]; weights: the loss's, by group;
    settings: the training's deciding settings.
    """

    network: NetworkConfig
    recipe: dict[str, Any]
    layout: list[tuple[str, int]]
    model: ModelEntry
    weights: dict[str, float]
    settings: dict[str, Any]
    step: int
    format: int = FORMAT


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with its facts; progress is the state of the optimiser and the random numbers."""

    network: FaceNet
    facts: Facts
    progress: dict[str, Any] = field(default_factory=dict)
    path: Path = Path()

    @cached_property
    def layout(self) -> Layout:
        """The schema of the theta it gives."""
        return layout_from_json(self.facts.layout)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of the data it was trained on first."""
        return from_record(self.facts.recipe)

    @property
    def model(self) -> ModelEntry:
        """The face model its theta speaks of."""
        return self.facts.model

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
            facts = msgspec.json.decode(content["facts"], type=Facts)
            weights, progress = content["network"], content["progress"]
            network = _network(facts, weights)
        except (msgspec.MsgspecError, DatasetError) as error:
            raise NetworkError(f"not a checkpoint of facegen: {error}", _HINT) from None
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise NetworkError(f"not a checkpoint of facegen: {error!r}", _HINT) from None
        fill(network, weights)
        network.eval()
        return Checkpoint(network, facts, progress, path)


def _network(facts: Facts, weights: Any) -> FaceNet:
    """The network that the facts describe, for weights that are its own."""
    check(facts.network)
    if facts.format != FORMAT or not isinstance(weights, dict):
        raise NetworkError(f"a checkpoint of format {facts.format}, not {FORMAT}", _HINT)
    if layout_from_json(facts.layout).width != facts.network.outputs or not facts.model.sha256:
        raise NetworkError("its layout is not that of its network", _HINT)
    zeros = np.zeros(facts.network.outputs, np.float32)
    standard = Standard(zeros, zeros, np.zeros((LANDMARKS, 2), np.float32))
    with torch.device("meta"):  # Nothing is made that the file does not hold.
        check_weights(FaceNet(facts.network, standard), weights)
    return FaceNet(facts.network, standard)


def random_state() -> dict[str, Any]:
    """The state of the random numbers that dropout uses."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def set_random_state(state: dict[str, Any]) -> None:
    """Continue with the random numbers from this state."""
    torch.set_rng_state(state["cpu"])
    if len(state["cuda"]) == torch.cuda.device_count() and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
