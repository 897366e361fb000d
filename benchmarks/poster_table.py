"""The poster's table, on a "real" domain whose truth is known: does the loop close?

Rows: AlexNet with the parameter loss, with the model-space loss, and bootstrapped; a ResNet with
the model-space loss. Every row gets the same number of iterations. The "real" photographs are those
of real_domain.py; bootstrapping sees its training pictures without their labels, and all rows are
judged on pictures held out. Each step is one facegen command; what is done is not done again.

    python benchmarks/real_domain.py --train 600 --test 200 --size 64 --out REAL
    python benchmarks/poster_table.py REAL --scale small --out data/poster --plot poster.png
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import click

METRICS = ("photometric", "geometric", "iou")
# InverseFaceNet's poster: mean and standard deviation over its test images.
POSTER = {
    "alexnet, parameter loss": ((46.26, 12.42), (2.91, 0.99), (90.44, 3.81)),
    "alexnet, model-space loss": ((39.71, 9.86), (2.77, 1.00), (92.51, 2.59)),
    "alexnet, model-space loss, bootstrap": ((34.03, 7.56), (2.11, 0.84), (93.96, 2.08)),
    "resnet, model-space loss": ((41.23, 10.58), (2.54, 0.87), (92.07, 2.87)),
}


@dataclass(frozen=True)
class Scale:
    """How large: a corpus of `images` of `size` pixels, networks, steps and repetitions."""

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
    "small": Scale(20_000, 64, 0.125, "resnet18", 0.25, 12_000, 2_400, 4, 8, 3),
    "tiny": Scale(1_000, 64, 0.1, "resnet18", 0.1, 40, 20, 2, 1, 1),
    "full": Scale(200_000, 240, 1.0, "resnet101", 1.0, 75_000, 15_000, 6, 100, 1),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: its name, network, loss, and whether it is bootstrapped."""

    name: str
    network: str
    width: float
    loss: str
    bootstrapped: bool


@dataclass(frozen=True)
class Trial:
    """One row with one seed, and where it is worked at."""

    row: Row
    seed: int
    scale: Scale
    corpus: Path
    real: Path
    folder: Path


def rows_of(scale: Scale) -> list[Row]:
    """The table's rows at this scale."""
    names = list(POSTER)
    return [
        Row(names[0], "alexnet", scale.width, "parameter", False),
        Row(names[1], "alexnet", scale.width, "model-space", False),
        Row(names[2], "alexnet", scale.width, "model-space", True),
        Row(names[3], scale.resnet, scale.resnet_width, "model-space", False),
    ]


@click.command()
@click.argument("real", type=click.Path(path_type=Path, exists=True))
@click.option("--scale", "scale_name", type=click.Choice(list(SCALES)), default="small")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/poster"))
@click.option("--at-once", type=click.IntRange(1), default=2, help="Trials side by side.")
@click.option("--plot", type=click.Path(path_type=Path), help="Save a chart here (.png).")
def main(real: Path, scale_name: str, out: Path, at_once: int, plot: Path | None) -> None:
    """Train every row on every seed, judge it on REAL's test pictures, and print the table."""
    scale = SCALES[scale_name]
    corpus = out / "corpus"
    facegen("render", "--count", scale.images, "--size", scale.size, "--out", corpus)
    trials = [
        Trial(row, seed, scale, corpus, real, out / f"{slug(row.name)}-{seed}")
        for seed, row in product(range(scale.seeds), rows_of(scale))
    ]
    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(judged, trials))
    found = gathered(trials, results)
    (out / "table.json").write_text(json.dumps({"scale": asdict(scale), "rows": found}, indent=1))
    click.echo(table(found))
    if plot:
        draw(found, plot)


def judged(trial: Trial) -> dict[str, float]:
    """Train the trial's network and evaluate it on the held-out pictures."""
    trial.folder.mkdir(parents=True, exist_ok=True)
    net = bootstrapped(trial) if trial.row.bootstrapped else trained(trial)
    tars = sorted(trial.real.glob("test-*.tar"))
    picture = trial.folder / "picture.png"
    told = facegen("evaluate", net, *tars, "--json", "--picture", picture)
    errors = json.loads(told)["errors"]
    click.echo(
        f"{trial.row.name}, seed {trial.seed}: {errors['geometric']['mean']:.3f} mm", err=True
    )
    return {metric: errors[metric]["mean"] for metric in METRICS}


def trained(trial: Trial) -> Path:
    """A network trained on the prior's corpus alone."""
    net = trial.folder / "net.pt"
    train(trial, net, trial.corpus, trial.scale.iterations, fresh(trial))
    return net


def bootstrapped(trial: Trial) -> Path:
    """A network that estimates the real pictures, is trained around its estimates, and again."""
    scale, folder = trial.scale, trial.folder
    net = folder / "round-0.pt"
    train(trial, net, trial.corpus, scale.before, fresh(trial))
    steps = (scale.iterations - scale.before) // scale.rounds
    for number in range(1, scale.rounds + 1):
        estimates, shards = folder / f"real-{number}.h5", folder / f"shards-{number}"
        facegen("estimate", net, *sorted(trial.real.glob("train-*.tar")), "--out", estimates)
        words = ("--per-image", scale.per_image, "--size", scale.size, "--seed", number)
        facegen("bootstrap", "--estimates", estimates, *words, "--workers", 1, "--out", shards)
        after = folder / f"round-{number}.pt"
        train(trial, after, shards, steps, ("--from", net))
        net = after
    return net


def fresh(trial: Trial) -> tuple[object, ...]:
    """The words for a network that starts from nothing."""
    return ("--network", trial.row.network, "--width", trial.row.width)


def train(trial: Trial, net: Path, shards: Path, steps: int, start: tuple[object, ...]) -> None:
    """Train with the trial's loss and seed."""
    words = ("--loss", trial.row.loss, "--iterations", steps, "--seed", trial.seed)
    facegen("train", shards, "--out", net, *words, "--every", max(1, steps // 4), *start)


def facegen(*words: object) -> str:
    """Run a facegen command on one thread; what it printed."""
    command = [sys.executable, "-m", "facegen.cli", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise click.ClickException(f"{' '.join(command[2:])}: {done.stderr.splitlines()[-1]}")
    return done.stdout


def gathered(trials: list[Trial], results: list[dict[str, float]]) -> dict[str, dict[str, list]]:
    """The seeds' means by row and metric."""
    found: dict[str, dict[str, list]] = {}
    for trial, result in zip(trials, results, strict=True):
        for metric, value in result.items():
            found.setdefault(trial.row.name, {}).setdefault(metric, []).append(value)
    return found


def table(found: dict[str, dict[str, list]]) -> str:
    """Our figures (mean of the seeds' means, their least and most) beside the poster's."""
    head = ("approach", "photometric [8 bit]", "geometric [mm]", "IoU [%]", "poster: mm")
    return "\n".join(["| " + " | ".join(head) + " |", "|---|---|---|---|---|", *_rows(found)])


def _rows(found: dict[str, dict[str, list]]) -> Iterator[str]:
    for name, metrics in found.items():
        cells = [
            f"{statistics.mean(v):.2f} ({min(v):.2f} to {max(v):.2f})"
            for v in (metrics[metric] for metric in METRICS)
        ]
        yield "| " + " | ".join([name, *cells, f"{POSTER[name][1][0]:.2f}"]) + " |"


def draw(found: dict[str, dict[str, list]], path: Path) -> None:
    """Two panels of bars: geometric and photometric error by row, the seeds as dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.6), dpi=200, layout="constrained")
    for axes, metric, unit in zip(
        figure.subplots(1, 2, sharey=True),
        ("geometric", "photometric"),
        ("mm", "8 bit"),
        strict=True,
    ):
        names = list(found)[::-1]
        values = [found[name][metric] for name in names]
        axes.barh(names, [statistics.mean(v) for v in values], color="#5b8db8", height=0.6)
        for row, seeds in enumerate(values):
            axes.plot(seeds, [row] * len(seeds), "o", color="#1d3557", markersize=3)
        axes.set_xlabel(f"{metric} error [{unit}], less is better")
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def slug(name: str) -> str:
    """A row's name as a folder's."""
    return name.replace(", ", "-").replace(" ", "-")


if __name__ == "__main__":
    main()
