"""The rows of the poster's table, and how each is trained, bootstrapped and evaluated."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from facegen.files import write_file

PLAIN = "alexnet, parameter loss"
SPACE = "alexnet, model-space loss"
BOOTSTRAP = "alexnet, model-space loss, bootstrap"
WIDE = f"{BOOTSTRAP}, wide and zero-mean"
RESNET = "resnet, model-space loss"
METRICS = {
    "photometric": "photometric [8 bit]",
    "geometric": "geometric [mm]",
    "geometric_aligned": "rigidly aligned [mm]",
    "iou": "IoU [%]",
    "rotation": "rotation [°]",
}

Command = Callable[..., str]


@dataclass(frozen=True)
class Scale:
    """How large: a training set of `images` of `size` pixels, networks, steps and repetitions."""

    images: int
    size: int
    width: float
    resnet: str
    resnet_width: float
    iterations: int
    before: int
    rounds: int
    per_image: int
    seeds: int


SCALES = {
    "small": Scale(60_000, 64, 0.125, "resnet18", 0.25, 10_000, 5_000, 4, 8, 3),
    "tiny": Scale(1_000, 64, 0.1, "resnet18", 0.1, 40, 20, 2, 1, 1),
    "full": Scale(200_000, 240, 1.0, "resnet101", 1.0, 75_000, 15_000, 6, 100, 1),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: its name, network and loss; the recipe of its perturbation, if any."""

    name: str
    network: str
    width: float
    loss: str
    perturbation: str | None = None


@dataclass(frozen=True)
class Trial:
    """One row with one seed: its folders, and what runs a facegen command."""

    row: Row
    seed: int
    scale: Scale
    out: Path
    real: Path
    facegen: Command

    @property
    def folder(self) -> Path:
        """The trial's own folder."""
        return self.out / f"{self.row.name.replace(', ', '-').replace(' ', '-')}-{self.seed}"

    @property
    def comparison(self) -> Path:
        """The evaluation's image of inputs, re-renderings and error maps."""
        return self.folder / "comparison.png"


def rows_of(scale: Scale) -> list[Row]:
    """The table's rows at this scale."""
    return [
        Row(PLAIN, "alexnet", scale.width, "parameter"),
        Row(SPACE, "alexnet", scale.width, "model-space"),
        Row(BOOTSTRAP, "alexnet", scale.width, "model-space", "bootstrap"),
        Row(WIDE, "alexnet", scale.width, "model-space", "bootstrap-wide"),
        Row(RESNET, scale.resnet, scale.resnet_width, "model-space"),
    ]


def submitted(
    pool: ThreadPoolExecutor, trials: list[list[Trial]]
) -> list[tuple[str, Future[dict[str, float]]]]:
    """All trials, seed by seed, each after the start that its seed's rows share."""
    futures = []
    for of_seed in trials:
        start = pool.submit(started, next(t for t in of_seed if t.row.name == SPACE))
        futures += [(trial.row.name, pool.submit(judged, trial, start)) for trial in of_seed]
    return futures


def judged(trial: Trial, start: Future[Path]) -> dict[str, float]:
    """Train the trial's network and evaluate it on the held-out photographs."""
    net = bootstrapped(trial, start) if trial.row.perturbation else trained(trial, start)
    tars = sorted(trial.real.glob("test-*.tar"))
    printed = trial.facegen("evaluate", net, *tars, "--json", "--comparison", trial.comparison)
    means = means_of(json.loads(printed)["errors"])
    click.echo(f"{trial.row.name}, seed {trial.seed}: {means['geometric']:.3f} mm", err=True)
    return means


def means_of(errors: dict[str, dict[str, float]]) -> dict[str, float]:
    """The means of the table's metrics."""
    return {metric: errors[metric]["mean"] for metric in METRICS}


def started(trial: Trial) -> Path:
    """The network of the rows with the model-space loss, before any is bootstrapped."""
    net = trial.folder / "before.pt"
    train(trial, net, trial.out / "rendered", trial.scale.before, untrained(trial))
    return net


def trained(trial: Trial, start: Future[Path]) -> Path:
    """A network trained on the prior's renderings alone, from the shared start where it has one."""
    net = trial.folder / "net.pt"
    if trial.row.name == SPACE and not net.exists():
        write_file(net, start.result().read_bytes())
    train(trial, net, trial.out / "rendered", trial.scale.iterations, untrained(trial))
    return net


def bootstrapped(trial: Trial, start: Future[Path]) -> Path:
    """A network that estimates the photographs, is trained around its estimates, and again."""
    scale, folder, net = trial.scale, trial.folder, start.result()
    steps = (scale.iterations - scale.before) // scale.rounds
    for number in range(1, scale.rounds + 1):
        estimates, around = folder / f"real-{number}.h5", folder / f"shards-{number}"
        trial.facegen("estimate", net, *sorted(trial.real.glob("train-*.tar")), "--out", estimates)
        options = ("--recipe", trial.row.perturbation, "--per-image", scale.per_image)
        options += ("--workers", 1, "--size", scale.size, "--seed", number, "--out", around)
        options += ("--backgrounds", trial.out / "backgrounds")
        trial.facegen("bootstrap", "--estimates", estimates, *options)
        after = folder / f"round-{number}.pt"
        train(trial, after, around, steps, ("--from", net))
        net = after
    return net


def untrained(trial: Trial) -> tuple[object, ...]:
    """The options for a network that is not trained yet."""
    return ("--network", trial.row.network, "--width", trial.row.width)


def train(trial: Trial, net: Path, data: Path, steps: int, start: tuple[object, ...]) -> None:
    """Train with the trial's loss and seed."""
    options = ("--preset", "paper", "--loss", trial.row.loss, "--iterations", steps)
    more = ("--seed", trial.seed, "--every", -(-steps // 4))
    trial.facegen("train", data, "--out", net, *options, *more, *start)


def facegen(*options: object) -> str:
    """Run a facegen command on one thread -> what it printed."""
    command = [sys.executable, "-m", "facegen", *map(str, options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        message = (run.stderr.splitlines() or [f"ended with {run.returncode}"])[-1]
        raise click.ClickException(f"{' '.join(command[2:])}: {message}")
    return run.stdout
