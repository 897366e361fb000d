"""The trainer: shards -> a network that estimates theta. Read `train` first."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from facegen.dataset.shards import Encoded
from facegen.learning import batches, checkpoint
from facegen.learning.begin import Say, begin
from facegen.learning.config import TrainingConfig
from facegen.learning.devices import device_of
from facegen.learning.facts import Facts
from facegen.learning.log import Log
from facegen.learning.metrics import group_errors
from facegen.learning.moves import Moves
from facegen.learning.run import Run
from facegen.learning.training_set import open_training_set
from facegen.learning.watch import Watch

MOVES = Moves(shift=0.04, zoom=0.05, mirror=0.5)


def train(config: TrainingConfig, tell: Say = print) -> Facts:
    """Train a network as configured, or continue where it was cut off; the result is config.out."""
    training_set = open_training_set(config.shards)
    device = device_of(config.device)
    run = begin(config, training_set, device, tell)
    reading = run.reading
    held_out = batches.validation_samples(training_set, reading)
    workers = batches.default_workers(device) if config.workers is None else config.workers
    order = batches.Order(run.preset.batch, config.seed, run.step)
    moves = MOVES if run.preset.moved else batches.NOT_MOVED
    changes = batches.Changes(moves, run.preset.augmentation, config.seed)
    source = batches.Batches(reading, order, changes)
    end = run.preset.iterations
    stops = range(config.every, end, config.every)
    more = "" if held_out else " (raise --validation to have some)"
    tell(f"{len(held_out):,} samples held out{more}; {device}, {workers} data workers")
    with Log(config.out, run.step) as log, _bar(run, str(config.out)) as bar:
        watch = Watch(run.preset.batch)
        for batch in islice(batches.batches(source, workers, device), max(0, end - run.step)):
            watch.note(run.learn(batch))
            bar.update()
            if run.step in stops or run.step == end:
                row = {"step": run.step, **watch.read(), **validate(run, held_out)}
                bar.set_postfix_str(f"loss {row['loss']:.4g}")
                log.write(row)
                checkpoint.save(config.out, run.checkpoint())
                watch.start()
    return run.facts


def validate(run: Run, samples: Sequence[Encoded]) -> dict[str, float]:
    """The loss, each group's RMS error and, in pixels, the landmarks' on held-out samples.

    Nothing where there are none.
    """
    if not samples:
        return {}
    kind, device = run.reading.kind, run.network.mean.device
    network, rows = run.best.eval(), []
    with torch.inference_mode():
        for faces in batches.in_batches(samples, kind, 64):
            batch = faces.tensors().to(device)
            estimate = network(batch.images)
            loss = np.full(len(faces), run.objective(estimate, batch).item())
            errors = group_errors(estimate.theta.cpu().numpy(), faces.theta, kind.layout)
            if estimate.landmarks is not None:
                missed = (estimate.landmarks - batch.landmarks).norm(dim=2).mean(1)
                errors["landmarks_px"] = kind.size * missed.cpu().numpy()
            rows.append({"validation_loss": loss, **errors})
    return {name: float(np.concatenate([row[name] for row in rows]).mean()) for name in rows[0]}


def _bar(run: Run, name: str) -> Any:
    end = run.preset.iterations
    return tqdm(total=end, initial=run.step, unit="step", desc=name, disable=None)
