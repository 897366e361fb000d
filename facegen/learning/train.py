"""The trainer: shards -> a network that estimates theta. Read `train` first."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import msgspec
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn
from tqdm import tqdm

from facegen.dataset.shards import Encoded
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import sha256_of
from facegen.learning import batches, checkpoint, loss
from facegen.learning.checkpoint import Checkpoint, Facts
from facegen.learning.config import NETWORKS, PAPER_WEIGHTS, NetworkConfig, TrainingConfig
from facegen.learning.devices import device_of
from facegen.learning.log import Log
from facegen.learning.metrics import group_errors
from facegen.learning.networks import FaceNet, NetworkError, load_pretrained
from facegen.learning.training_set import TrainingSet, open_model_of, open_training_set
from facegen.recipe.loading import load
from facegen.recipe.recipe import Recipe
from facegen.sampling.prior import source_of
from facegen.scene.parameters import Layout

Say = Callable[[str], None]


def train(config: TrainingConfig, tell: Say = print) -> Facts:
    """Train a network as configured, or continue where it was cut off; the result is config.out."""
    training_set = open_training_set(config.shards)
    device = device_of(config.device)
    run = begin(config, training_set, device, tell)
    reading = batches.reading_of(training_set, config.validation)
    held_out = batches.validation_samples(training_set, reading)
    workers = batches.default_workers(device) if config.workers is None else config.workers
    source = batches.Batches(reading, config.batch, config.seed, run.step)
    stops = range(config.every, config.iterations, config.every)
    more = "" if held_out else " (raise --validation to have some)"
    tell(f"{len(held_out):,} samples held out{more}; {device}, {workers} data workers")
    with Log(config.out, run.step) as log, _bar(run.step, config) as bar:
        watch = _Watch(config.batch)
        missing = max(0, config.iterations - run.step)
        for images, theta in islice(batches.batches(source, workers, device), missing):
            watch.note(run.learn(images, theta))
            bar.update()
            if run.step in stops or run.step == config.iterations:
                row = {"step": run.step, **watch.read(), **validate(run, held_out, reading)}
                bar.set_postfix_str(f"loss {row['loss']:.4g}")
                log.write(row)
                checkpoint.save(config.out, run.checkpoint())
                watch.start()
    return run.facts


@dataclass(eq=False)
class Run:
    """A training in progress: the network, its loss and optimiser, and the steps done."""

    network: FaceNet
    loss: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    facts: Facts
    layout: Layout
    device: torch.device
    step: int = 0

    def learn(self, images: UInt8[Tensor, "B S S 3"], theta: Float32[Tensor, "B m"]) -> Tensor:
        """One step on a batch -> the loss before it."""
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, enabled=self.device.type == "cuda"):
            estimate = self.network(images)
        value: Tensor = self.loss(estimate, theta)
        self.scaler.scale(value).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.step += 1
        return value.detach()

    def checkpoint(self) -> Checkpoint:
        """All of it, as a file holds it."""
        self.facts = msgspec.structs.replace(self.facts, step=self.step)
        progress = {
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "random": checkpoint.random_state(),
        }
        return Checkpoint(self.network, self.facts, progress)

    def resume(self, progress: dict[str, Any]) -> None:
        """Continue with the optimiser and the random numbers of a checkpoint."""
        self.step = self.facts.step
        try:
            self.optimiser.load_state_dict(progress["optimiser"])
            self.scaler.load_state_dict(progress["scaler"])
            checkpoint.set_random_state(progress["random"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise NetworkError(f"cannot be continued: {error!r}", _HINT_OUT) from None


_HINT_OUT = "use another --out, or remove this one"


def begin(
    config: TrainingConfig, training_set: TrainingSet, device: torch.device, tell: Say
) -> Run:
    """A fresh run, or the one that --out holds where it is of the same configuration."""
    start = checkpoint.load(config.start) if config.start else None
    config = settled(config, start)
    recipe = _recipe(config, training_set, start)
    settings = config.deciding({**_hashes(config, training_set), "recipe": recipe.fingerprint})
    model = open_model_of(recipe, training_set.model, config.model)
    mean, sd = source_of(
        recipe, model.layout, model.attributes, model.face_units
    ).distributions.moments()
    weights = _weights(config, start) or loss.calibrate(training_set.layout, model, sd)
    if config.loss == "model-space":
        tell(loss.describe(weights, loss.shares(training_set.layout, model, weights, sd)))
    previous = _previous(config, settings)
    if previous:
        network, facts = previous.network, previous.facts
    else:
        torch.manual_seed(config.seed)
        network = _network(config, training_set, start, (mean, sd))
        facts = _facts(training_set, network, recipe, weights, settings)
    measure = loss.loss_of(config.loss, training_set.layout, model, weights)
    run = _run(
        network.to(device), measure.to(device), facts, training_set.layout, config.learning_rate
    )
    if previous:
        tell(f"continuing from step {facts.step:,} of {config.out}")
        with located(config.out):
            run.resume(previous.progress)
    return run


def settled(config: TrainingConfig, start: Checkpoint | None) -> TrainingConfig:
    """The configuration with its network decided: as asked for, else as in `start`."""
    base = start.network.config if start else NetworkConfig(NETWORKS[0], 1.0, 0, 0)
    return replace(
        config,
        network=config.network or base.name,
        width=base.width if config.width is None else config.width,
        dropout=base.dropout if config.dropout is None else config.dropout,
    )


def validate(run: Run, samples: Sequence[Encoded], reading: batches.Reading) -> dict[str, float]:
    """The loss and each group's RMS error on held-out samples; nothing where there are none."""
    if not samples:
        return {}
    run.network.eval()
    estimates, truths = [], []
    with torch.inference_mode():
        for images, theta in batches.in_batches(samples, reading, 64):
            estimates.append(run.network(images.to(run.device)).cpu())
            truths.append(theta)
    estimate, truth = torch.cat(estimates), torch.cat(truths)
    value = run.loss(estimate.to(run.device), truth.to(run.device)).item()
    errors = group_errors(estimate.numpy(), truth.numpy(), run.layout)
    return {"validation_loss": value, **{name: float(e.mean()) for name, e in errors.items()}}


class _Watch:
    """The mean loss and the speed of training since it was started."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self.start()

    def start(self) -> None:
        self._losses: list[Tensor] = []
        self._started = time.perf_counter()

    def note(self, value: Tensor) -> None:
        self._losses.append(value)

    def read(self) -> dict[str, float]:
        mean = torch.stack(self._losses).mean().item()
        if not math.isfinite(mean):
            raise FacegenError("the loss is no longer finite", "lower --learning-rate")
        seconds = time.perf_counter() - self._started
        speed = len(self._losses) * self._batch / seconds
        return {"loss": mean, "images_per_second": speed}


def _bar(step: int, config: TrainingConfig) -> Any:
    name, end = str(config.out), config.iterations
    return tqdm(total=end, initial=step, unit="step", desc=name, disable=None)


def _hashes(config: TrainingConfig, training_set: TrainingSet) -> dict[str, str | None]:
    files = {"pretrained": config.pretrained, "start": config.start}
    hashes = {name: sha256_of(path) if path else None for name, path in files.items()}
    return {**hashes, "training_set": training_set.fingerprint}


def _recipe(config: TrainingConfig, training_set: TrainingSet, start: Checkpoint | None) -> Recipe:
    """The prior of the first round; a bootstrapped data set's own recipe is a perturbation."""
    if config.recipe:
        return load(config.recipe)
    return start.recipe if start else training_set.recipe


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
        raise FacegenError(f"{config.out}: trained with other settings: {differences}", _HINT_OUT)
    return previous


def _network(
    config: TrainingConfig,
    training_set: TrainingSet,
    start: Checkpoint | None,
    prior: tuple[Any, Any],
) -> FaceNet:
    size, outputs = training_set.image.size, training_set.layout.width
    kind = NetworkConfig(
        config.network or NETWORKS[0], config.width or 0.0, size, outputs, config.dropout or 0.0
    )
    network = FaceNet(kind, *prior)
    if config.pretrained:
        load_pretrained(network, config.pretrained)
    if start:
        _check_start(start, training_set, kind)
        network.load_state_dict(start.network.state_dict())
    return network


def _check_start(start: Checkpoint, training_set: TrainingSet, kind: NetworkConfig) -> None:
    with located(start.path):
        if start.layout != training_set.layout or start.model != training_set.model:
            raise DatasetError("is for another layout or face model than the shards")
        if msgspec.structs.replace(start.network.config, dropout=kind.dropout) != kind:
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


def _run(
    network: FaceNet, measure: nn.Module, facts: Facts, layout: Layout, learning_rate: float
) -> Run:
    device = network.mean.device
    optimiser = torch.optim.Adadelta(network.parameters(), lr=learning_rate)
    scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
    return Run(network, measure, optimiser, scaler, facts, layout, device)
