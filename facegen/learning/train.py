"""The trainer: shards -> a network that estimates theta. Read `train` first."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from facegen import recipe as recipes
from facegen.errors import DatasetError, FacegenError, located
from facegen.files import digest
from facegen.learning import checkpoint, dataset, loss
from facegen.learning.checkpoint import Checkpoint, Facts
from facegen.learning.config import NETWORKS, PAPER_WEIGHTS, NetworkConfig, TrainingConfig
from facegen.learning.corpus import Corpus, moments, open_corpus, open_model_of
from facegen.learning.devices import device_of
from facegen.learning.logbook import Logbook
from facegen.learning.metrics import group_errors
from facegen.learning.networks import FaceNet, NetworkError, load_pretrained
from facegen.parameters import Layout

Say = Callable[[str], None]


def train(config: TrainingConfig, say: Say = print) -> Facts:
    """Train a network as configured, or go on where it was cut off; the result is config.out."""
    corpus = open_corpus(config.shards)
    device = device_of(config.device)
    run = begin(config, corpus, device, say)
    reading = dataset.reading_of(corpus, config.validation)
    held_out = dataset.validation_samples(corpus, reading)
    workers = dataset.default_workers(device) if config.workers is None else config.workers
    source = dataset.Batches(reading, config.batch, config.seed, run.step)
    stops = range(config.every, config.iterations, config.every)
    more = "" if held_out else " (raise --validation to have some)"
    say(f"{len(held_out):,} samples held out{more}; {device}, {workers} data workers")
    with Logbook(config.out, run.step) as log, _bar(run.step, config) as bar:
        watch = _Watch(config.batch)
        todo = max(0, config.iterations - run.step)
        for images, theta in islice(dataset.batches(source, workers, device), todo):
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
    """A training under way: the network, its loss and optimiser, and the steps done."""

    network: FaceNet
    loss: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    facts: Facts
    layout: Layout
    device: torch.device
    step: int = 0

    def learn(self, images: Tensor, theta: Tensor) -> Tensor:
        """One step on images (B, S, S, 3) uint8 and theta (B, m); the loss before it."""
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, enabled=self.device.type == "cuda"):
            estimate = self.network(images)
        value = self.loss(estimate, theta)
        self.scaler.scale(value).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.step += 1
        return value.detach()

    def checkpoint(self) -> Checkpoint:
        """All of it, as a file holds it."""
        self.facts = replace(self.facts, step=self.step)
        progress = {
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "random": checkpoint.random_state(),
        }
        return Checkpoint(self.network, self.facts, progress)

    def resume(self, progress: dict[str, Any]) -> None:
        """Take up the optimiser and the random numbers where a checkpoint left them."""
        self.step = self.facts.step
        try:
            self.optimiser.load_state_dict(progress["optimiser"])
            self.scaler.load_state_dict(progress["scaler"])
            checkpoint.set_random_state(progress["random"])
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            raise NetworkError(f"cannot be gone on with: {error!r}", _MEND_OUT) from None


_MEND_OUT = "use another --out, or remove this one"


def begin(config: TrainingConfig, corpus: Corpus, device: torch.device, say: Say) -> Run:
    """A fresh run, or the one that --out holds where it is of the same configuration."""
    start = checkpoint.load(config.start) if config.start else None
    config = settled(config, start)
    recipe = _recipe(config, corpus, start)
    settings = config.deciding({**_digests(config, corpus), "recipe": recipe.digest})
    model = open_model_of(recipe, corpus.model, config.model)
    mean, sd = moments(recipe, model.layout)
    weights = _weights(config, start) or loss.calibrate(corpus.layout, model, sd)
    if config.loss == "model-space":
        say(loss.describe(weights, loss.shares(corpus.layout, model, weights, sd)))
    found = _found(config, settings)
    if found:
        network, facts = found.network, found.facts
    else:
        torch.manual_seed(config.seed)
        network = _network(config, corpus, start, (mean, sd))
        facts = _facts(corpus, network, recipe, weights, settings)
    measure = loss.loss_of(config.loss, corpus.layout, model, weights)
    run = _run(network.to(device), measure.to(device), facts, corpus.layout, config.learning_rate)
    if found:
        say(f"going on from step {facts.step:,} of {config.out}")
        with located(config.out):
            run.resume(found.progress)
    return run


def settled(config: TrainingConfig, start: Checkpoint | None) -> TrainingConfig:
    """The configuration with its network decided: as asked for, else as in `start`."""
    had = start.network.config if start else NetworkConfig(NETWORKS[0], 1.0, 0, 0)
    return replace(
        config,
        network=config.network or had.name,
        width=had.width if config.width is None else config.width,
        dropout=had.dropout if config.dropout is None else config.dropout,
    )


def validate(
    run: Run, samples: Sequence[dataset.Encoded], reading: dataset.Reading
) -> dict[str, float]:
    """The loss and each group's RMS error on held-out samples; nothing where there are none."""
    if not samples:
        return {}
    run.network.eval()
    estimates, truths = [], []
    with torch.inference_mode():
        for images, theta in dataset.in_batches(samples, reading, 64):
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


def _digests(config: TrainingConfig, corpus: Corpus) -> dict[str, str | None]:
    files = {"pretrained": config.pretrained, "start": config.start}
    digests = {name: digest(path) if path else None for name, path in files.items()}
    return {**digests, "corpus": corpus.digest}


def _recipe(config: TrainingConfig, corpus: Corpus, start: Checkpoint | None) -> recipes.Recipe:
    """The prior of the first round: a bootstrapped data set's own recipe states noise instead."""
    if config.recipe:
        return recipes.load(config.recipe)
    return start.recipe if start else corpus.recipe


def _weights(config: TrainingConfig, start: Checkpoint | None) -> dict[str, float] | None:
    if config.weights:
        return dict(zip(PAPER_WEIGHTS, config.weights, strict=True))
    return dict(start.facts.weights) if start else None


def _found(config: TrainingConfig, settings: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint at --out, which must be of these settings."""
    if not config.out.exists():
        return None
    found = checkpoint.load(config.out)
    had = found.facts.settings
    changed = [name for name in settings if had.get(name) != settings[name]]
    if changed:
        was = ", ".join(f"{name} was {had.get(name)}" for name in changed)
        raise FacegenError(f"{config.out}: trained with other settings: {was}", _MEND_OUT)
    return found


def _network(
    config: TrainingConfig, corpus: Corpus, start: Checkpoint | None, prior: tuple[Any, Any]
) -> FaceNet:
    size, outputs = corpus.image.size, corpus.layout.width
    wanted = NetworkConfig(
        str(config.network), float(config.width or 0), size, outputs, float(config.dropout or 0)
    )
    network = FaceNet(wanted, *prior)
    if config.pretrained:
        load_pretrained(network, config.pretrained)
    if start:
        _check_start(start, corpus, wanted)
        network.load_state_dict(start.network.state_dict())
    return network


def _check_start(start: Checkpoint, corpus: Corpus, wanted: NetworkConfig) -> None:
    with located(start.path):
        if start.layout != corpus.layout or start.model != corpus.model:
            raise DatasetError("speaks of another layout or face model than the shards")
        if replace(start.network.config, dropout=wanted.dropout) != wanted:
            raise NetworkError("is a network of another kind, width or picture's size")


def _facts(
    corpus: Corpus,
    network: FaceNet,
    recipe: recipes.Recipe,
    weights: dict[str, float],
    settings: dict[str, Any],
) -> Facts:
    return Facts(
        network=asdict(network.config),
        recipe=recipe.record,
        layout=corpus.layout.to_json(),
        model=asdict(corpus.model),
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
