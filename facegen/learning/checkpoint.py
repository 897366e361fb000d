"""Checkpoints: a network, and all that is needed to build it again and to go on training."""

import json
import os
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facegen import recipe as recipes
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import digest
from facegen.learning.config import NetworkConfig
from facegen.learning.corpus import ModelName, layout_from_json
from facegen.learning.networks import (
    FaceNet,
    NetworkError,
    check,
    check_weights,
    fill,
    read_weights,
)
from facegen.parameters import Layout
from facegen.recipe import Recipe
from facegen.stores import PARTIAL

FORMAT = 1
_MEND = "give a file that `facegen train` wrote"


@dataclass(frozen=True)
class Facts:
    """What a checkpoint says beside its tensors; all of it plain JSON.

    recipe: {"name": ..., **table}; layout: [[group, width], ...]; model: {"name", "sha256"};
    weights: the loss's, by group; settings: the training's deciding settings.
    """

    network: dict[str, Any]
    recipe: dict[str, Any]
    layout: list[list[Any]]
    model: dict[str, str]
    weights: dict[str, float]
    settings: dict[str, Any]
    step: int
    format: int = FORMAT


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with its facts; progress is what the optimiser and the random numbers were at."""

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
        return recipes.from_record(self.facts.recipe)

    @cached_property
    def model(self) -> ModelName:
        """The face model its theta speaks of."""
        return ModelName(self.facts.model["name"], self.facts.model["sha256"])

    @property
    def source(self) -> str:
        """The file's name and hash."""
        return f"{self.path.name} sha256 {digest(self.path)}"


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    content = {
        "facts": json.dumps(asdict(checkpoint.facts)),
        "network": checkpoint.network.state_dict(),
        "progress": checkpoint.progress,
    }
    partial = path.with_name(path.name + PARTIAL)
    with located(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                torch.save(content, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise FacegenError(error.strerror or str(error), "give a file to write to") from None


def load(path: Path) -> Checkpoint:
    """Read a checkpoint that anybody may have made: nothing in it is run."""
    with located(path):
        content = read_weights(path, _MEND)
        try:
            facts = Facts(**json.loads(content["facts"]))
            config = NetworkConfig(**facts.network)
            weights, progress = content["network"], content["progress"]
            check(config)
            if facts.format != FORMAT or not isinstance(weights, dict):
                raise NetworkError(f"a checkpoint of format {facts.format}, not {FORMAT}", _MEND)
            if (
                layout_from_json(facts.layout).width != config.outputs
                or not ModelName(**facts.model).sha256
            ):
                raise NetworkError("its layout is not that of its network", _MEND)
            moments = np.zeros((2, config.outputs), np.float32)
            with torch.device("meta"):  # Nothing is made that the file does not hold.
                check_weights(FaceNet(config, *moments), weights)
            network = FaceNet(config, *moments)
            found = Checkpoint(network, facts, progress, path)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise NetworkError(f"not a checkpoint of facegen: {error!r}", _MEND) from None
        except DatasetError as error:
            raise NetworkError(str(error), _MEND) from None
        fill(network, weights)
        network.eval()
        return found


def random_state() -> dict[str, Any]:
    """Where the random numbers of dropout are."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def set_random_state(state: dict[str, Any]) -> None:
    """Go on with the random numbers from there."""
    torch.set_rng_state(state["cpu"])
    if len(state["cuda"]) == torch.cuda.device_count() and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
