"""The rows of the poster's table, and how each is trained, bootstrapped and evaluated."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from facegen.files import write_file
from facegen.recipe.loading import DEFAULT

PLAIN, SPACE = "parameter loss", "model-space loss"
BOOTSTRAP, ADAPTIVE = f"{SPACE}, bootstrap", f"{SPACE}, adaptive bootstrap"
WIDE, RESNET = f"{BOOTSTRAP}, wide and zero-mean", "resnet, model-space loss"
CEILING = "labels of the photographs"
METRICS = {
    "photometric": "photometric [8 bit]",
    "geometric": "geometric [mm]",
    "face_similar": "face, with scale [mm]",
    "iou": "IoU [%]",
    "rotation": "rotation [°]",
}

Command = Callable[..., str]
LAYERS = ("--layers", "landmarks2d")


@dataclass(frozen=True)
class Steps:
    """How long a network is trained: `before` of the steps come before `rounds` of bootstrapping,
    each around the estimates of all photographs, `per_image` faces of each."""

    all: int
    before: int
    rounds: int
    per_image: int


@dataclass(frozen=True)
class Way:
    """How some rows' networks are trained, and on which recipe's faces.

    around: the recipe of their perturbations.
    """

    name: str
    preset: str
    recipe: str
    around: str
    network: str
    width: float
    steps: Steps


@dataclass(frozen=True)
class Scale:
    """How large: `images` of `size` pixels of each recipe, the ways, a ResNet, repetitions."""

    images: int
    size: int
    ways: tuple[Way, ...]
    resnet: str
    resnet_width: float
    seeds: int


def ways(width: float, paper: Steps, modern: Steps) -> tuple[Way, ...]:
    """The paper's way, with this share of AlexNet's channels, and the modern one on two recipes."""
    return (
        Way("paper", "paper", DEFAULT, "bootstrap", "alexnet", width, paper),
        Way("modern", "modern", DEFAULT, "bootstrap", "small", 1.0, modern),
        Way("natural", "modern", "natural", "bootstrap-natural", "small", 1.0, modern),
    )


SMALL = ways(0.125, Steps(10_000, 5_000, 4, 8), Steps(3_000, 1_500, 1, 20))
TINY = ways(0.1, Steps(40, 20, 2, 1), Steps(20, 10, 1, 1))
FULL = ways(1.0, Steps(75_000, 15_000, 6, 100), Steps(75_000, 15_000, 1, 100))
SCALES = {
    "small": Scale(30_000, 64, SMALL, "resnet18", 0.25, 3),
    "tiny": Scale(1_000, 64, TINY, "resnet18", 0.1, 1),
    "full": Scale(200_000, 240, FULL, "resnet101", 1.0, 1),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: what is trained, and how it goes on.

    perturbation: the recipe drawn around estimates, if any; adaptive: as far as they say; ceiling:
    on the labels of the photographs instead of renderings.
    """

    what: str
    way: Way
    loss: str = "model-space"
    network: str = ""
    width: float = 0.0
    perturbation: str | None = None
    adaptive: bool = False
    ceiling: bool = False

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.way.name}: {self.what}"


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
        words = self.row.name.replace(":", "").replace(",", "").split()
        return self.out / f"{'-'.join(words)}-{self.seed}"

    @property
    def comparison(self) -> Path:
        """The evaluation's image of inputs, re-renderings and error maps."""
        return self.folder / "comparison.png"

    @property
    def rendered(self) -> Path:
        """The faces of its way's recipe."""
        return rendered(self.out, self.row.way.recipe)


def rendered(out: Path, recipe: str) -> Path:
    """Where the faces of a recipe lie."""
    return out / f"rendered-{recipe}"


def rows_of(scale: Scale) -> list[Row]:
    """The table's rows at this scale."""
    rows = []
    for way in scale.ways:
        rows += [Row(PLAIN, way, "parameter"), Row(SPACE, way)]
        rows += [Row(BOOTSTRAP, way, perturbation=way.around)]
        if way.preset == "paper":
            rows += [Row(WIDE, way, perturbation="bootstrap-wide")]
            rows += [Row(RESNET, way, network=scale.resnet, width=scale.resnet_width)]
        else:
            rows += [Row(ADAPTIVE, way, perturbation=way.around, adaptive=True)]
    return [*rows, Row(CEILING, scale.ways[-1], ceiling=True)]


def submitted(
    pool: ThreadPoolExecutor, trials: list[list[Trial]]
) -> list[tuple[str, Future[dict[str, float]]]]:
    """All trials, seed by seed, each after the start that its seed's rows of its way share."""
    futures = []
    for of_seed in trials:
        plain = [trial for trial in of_seed if trial.row.what == SPACE]
        starts = {trial.row.way: pool.submit(started, trial) for trial in plain}
        futures += [
            (trial.row.name, pool.submit(judged, trial, starts[trial.row.way])) for trial in of_seed
        ]
    return futures


def judged(trial: Trial, start: Future[Path]) -> dict[str, float]:
    """Train the trial's network and evaluate it on the held-out photographs."""
    net = bootstrapped(trial, start) if trial.row.perturbation else trained(trial, start)
    tars = sorted(trial.real.glob("test-*.tar"))
    printed = trial.facegen("evaluate", net, *tars, "--json", "--comparison", trial.comparison)
    means = means_of(json.loads(printed)["errors"])
    click.echo(f"{trial.row.name}, seed {trial.seed}: {means['face_similar']:.3f} mm", err=True)
    return means


def means_of(errors: dict[str, dict[str, float]]) -> dict[str, float]:
    """The means of the table's metrics."""
    return {metric: errors[metric]["mean"] for metric in METRICS}


def started(trial: Trial) -> Path:
    """The network of the rows with the model-space loss, before any is bootstrapped."""
    net = trial.folder / "before.pt"
    train(trial, net, [trial.rendered], trial.row.way.steps.before, untrained(trial))
    return net


def trained(trial: Trial, start: Future[Path]) -> Path:
    """A network trained at one go; the paper's, at a constant rate, from the shared start on."""
    net, row = trial.folder / "net.pt", trial.row
    if row.what == SPACE and row.way.preset == "paper" and not net.exists():
        write_file(net, start.result().read_bytes())
    data = sorted(trial.real.glob("train-*.tar")) if row.ceiling else [trial.rendered]
    train(trial, net, data, row.way.steps.all, untrained(trial))
    return net


def bootstrapped(trial: Trial, start: Future[Path]) -> Path:
    """A network that estimates the photographs, is trained around its estimates, and again."""
    plan, folder, net = trial.row.way.steps, trial.folder, start.result()
    steps = (plan.all - plan.before) // plan.rounds
    for number in range(1, plan.rounds + 1):
        estimates, around = folder / f"real-{number}.h5", folder / f"shards-{number}"
        trial.facegen("estimate", net, *sorted(trial.real.glob("train-*.tar")), "--out", estimates)
        options = ("--recipe", trial.row.perturbation, "--per-image", plan.per_image)
        options += ("--workers", 1, "--size", trial.scale.size, "--seed", number, "--out", around)
        options += ("--backgrounds", trial.out / "backgrounds", *LAYERS)
        options += ("--adaptive",) if trial.row.adaptive else ()
        trial.facegen("bootstrap", "--estimates", estimates, *options)
        after = folder / f"round-{number}.pt"
        train(trial, after, [around], steps, ("--from", net))
        net = after
    return net


def untrained(trial: Trial) -> tuple[object, ...]:
    """The options for a network that is not trained yet."""
    row, way = trial.row, trial.row.way
    return ("--network", row.network or way.network, "--width", row.width or way.width)


def train(
    trial: Trial, net: Path, data: Sequence[Path], steps: int, start: tuple[object, ...]
) -> None:
    """Train with the trial's loss and seed."""
    options = ("--preset", trial.row.way.preset, "--loss", trial.row.loss, "--iterations", steps)
    more = ("--seed", trial.seed, "--every", -(-steps // 4))
    trial.facegen("train", *data, "--out", net, *options, *more, *start)


def facegen(*options: object) -> str:
    """Run a facegen command on one thread -> what it printed."""
    command = [sys.executable, "-m", "facegen", *map(str, options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        message = (run.stderr.splitlines() or [f"ended with {run.returncode}"])[-1]
        raise click.ClickException(f"{' '.join(command[2:])}: {message}")
    return run.stdout
