"""How a training begins: afresh, from another network, or where it was cut off."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import torch
from jaxtyping import Float32

from facegen.errors import DatasetError, FacegenError, located
from facegen.files import Array, sha256_of
from facegen.learning import batches, checkpoint, loss
from facegen.learning.checkpoint import Checkpoint
from facegen.learning.config import PAPER_WEIGHTS, NetworkConfig, Settled, TrainingConfig
from facegen.learning.facts import Facts, NetworkError
from facegen.learning.heads import Standard
from facegen.learning.labelled import LAYER, decoded
from facegen.learning.networks import FaceNet, load_pretrained
from facegen.learning.objective import Objective
from facegen.learning.opening import open_checkpoint
from facegen.learning.run import HINT, Run
from facegen.learning.training_set import TrainingSet, open_model_of
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.loading import load
from facegen.recipe.recipe import Recipe
from facegen.sampling.prior import source_of

Say = Callable[[str], None]
Moments = tuple[Float32[Array, "m"], Float32[Array, "m"]]

STANDARD_OF = 1000  # Samples whose landmarks' mean and spread a network starts from.


def begin(
    config: TrainingConfig, training_set: TrainingSet, device: torch.device, tell: Say
) -> Run:
    """A fresh run, or the one that --out holds where it is of the same configuration."""
    start = open_checkpoint(config.start) if config.start else None
    settled = _settled(config, training_set, start, tell)
    reading = batches.reading_of(
        training_set, config.validation, settled.network.landmarks != "none"
    )
    recipe = _recipe(config, training_set, start)
    model = open_model_of(recipe, training_set.model, config.model)
    moments = _moments(recipe, model)
    weights = _weights(config, start) or loss.calibrate(model.layout, model, moments[1])
    if config.loss == "model-space":
        tell(loss.describe(weights, loss.shares(model.layout, model, weights, moments[1])))
    settings = settled.deciding({**_hashes(config, training_set), "recipe": recipe.fingerprint})
    previous = _previous(config, settings)
    if previous:
        network, facts = previous.network, previous.facts
    else:
        torch.manual_seed(config.seed)
        network = _network(settled, start, _standard(reading, moments))
        facts = _facts(training_set, network, recipe, weights, settings)
    network = network.to(device)
    measure = loss.loss_of(config.loss, model.layout, model, weights)
    run = Run(network, Objective(measure, network).to(device), settled.preset, facts, reading)
    if previous:
        tell(f"continuing from step {facts.step:,} of {config.out}")
        with located(config.out):
            run.resume(previous.progress)
    return run


def _settled(
    config: TrainingConfig, training_set: TrainingSet, start: Checkpoint | None, tell: Say
) -> Settled:
    """The configuration with its network decided, for these shards."""
    settled = config.settled(start.network.config if start else None)
    kind = msgspec.structs.replace(
        settled.network, size=training_set.image.size, outputs=training_set.layout.width
    )
    if kind.landmarks != "none" and LAYER not in training_set.layers:
        tell(f"no landmarks are learned: the shards have no layer {LAYER}")
        kind = msgspec.structs.replace(kind, landmarks="none")
    if start:
        _check_start(start, training_set, kind)
    return replace(settled, network=kind)


def _moments(recipe: Recipe, model: MorphableModel) -> Moments:
    """theta's mean and standard deviation under the recipe's prior."""
    source = source_of(recipe, model.layout, model.attributes, model.face_units)
    return source.distributions.moments()


def _standard(reading: batches.Reading, moments: Moments) -> Standard:
    """What a network for these shards is standardised by."""
    if not reading.kind.landmarks:
        return Standard(*moments)
    samples = list(islice(batches.stream(reading.paths, reading.kind, None), STANDARD_OF))
    places = decoded(samples, reading.kind).landmarks
    spread = float(places.std(axis=0).mean())
    return Standard(*moments, places.mean(axis=0, dtype=np.float64), spread)


def _hashes(config: TrainingConfig, training_set: TrainingSet) -> dict[str, str | None]:
    files = {"pretrained": config.pretrained, "start": config.start}
    hashes = {name: sha256_of(path) if path else None for name, path in files.items()}
    return {**hashes, "training_set": training_set.fingerprint}


def _recipe(config: TrainingConfig, training_set: TrainingSet, start: Checkpoint | None) -> Recipe:
    """The prior of the first round; a bootstrapped data set's own recipe is a perturbation."""
    if config.recipe:
        return load(config.recipe)
    return start.facts.prior if start else training_set.recipe


def _weights(config: TrainingConfig, start: Checkpoint | None) -> dict[str, float] | None:
    if config.weights:
        return dict(zip(PAPER_WEIGHTS, config.weights, strict=True))
    return dict(start.facts.weights) if start else None


def _previous(config: TrainingConfig, settings: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint at --out, which must be of these settings."""
    if not config.out.exists():
        return None
    previous = checkpoint.load(config.out)
    before = previous.facts.settings
    changed = [name for name in settings if before.get(name) != settings[name]]
    if changed:
        differences = ", ".join(f"{name} was {before.get(name)}" for name in changed)
        raise FacegenError(f"{config.out}: trained with other settings: {differences}", HINT)
    return previous


def _network(settled: Settled, start: Checkpoint | None, standard: Standard) -> FaceNet:
    network = FaceNet(settled.network, standard)
    if settled.asked.pretrained:
        load_pretrained(network, settled.asked.pretrained)
    if start:
        own, learned = network.state_dict(), start.network.state_dict()
        network.load_state_dict({name: learned.get(name, value) for name, value in own.items()})
    return network


def _check_start(start: Checkpoint, training_set: TrainingSet, kind: NetworkConfig) -> None:
    """Refuse a network of another kind; what it estimates beside theta may differ."""
    with located(start.path):
        if start.facts.theta != training_set.layout or start.facts.model != training_set.model:
            raise DatasetError("is for another layout or face model than the shards")
        free = {name: getattr(kind, name) for name in ("dropout", "landmarks", "deviations")}
        if msgspec.structs.replace(start.network.config, **free) != kind:
            raise NetworkError("is a network of another kind, width or image size")


def _facts(
    training_set: TrainingSet,
    network: FaceNet,
    recipe: Recipe,
    weights: dict[str, float],
    settings: dict[str, Any],
) -> Facts:
    return Facts(
        network=network.config,
        recipe=recipe.record,
        layout=training_set.layout.to_json(),
        model=training_set.model,
        weights=weights,
        settings=settings,
        step=0,
    )
