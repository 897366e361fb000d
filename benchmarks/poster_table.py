"""The poster's table, on a "real" domain whose truth is known: does the loop close?

Rows: AlexNet with the parameter loss, with the model-space loss, and bootstrapped, with the
poster's proposals and with wide, centred ones (recipe bootstrap-wide); a ResNet with the
model-space loss. Every row gets the same number of iterations, the bootstrapped ones `before` of
them on the corpus that all begin with. The "real" photographs are those of real_domain.py. Its
training pictures are seen without their labels: they are what bootstrapping estimates, and what
stands behind all rendered heads. All rows are judged on pictures held out. Each step is one facegen
command; what is done is not done again.

    python benchmarks/real_domain.py --train 1500 --test 200 --size 64 --out REAL
    python benchmarks/poster_table.py REAL --scale small --out data/poster --plot table.png
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
from PIL import Image

from facegen import recipe, shards
from facegen.learning import evaluate, metrics
from facegen.learning.corpus import moments, open_corpus, open_model_of
from facegen.renderers import RenderSettings, devices
from facegen.stores.folder import write_file

METRICS = {
    "photometric": "photometric [8 bit]",
    "geometric": "geometric [mm]",
    "geometric_aligned": "rigidly aligned [mm]",
    "iou": "IoU [%]",
    "rotation": "rotation [°]",
}
# InverseFaceNet's poster: mean and standard deviation over its test images.
POSTER = {
    "alexnet, parameter loss": ((46.26, 12.42), (2.91, 0.99), (90.44, 3.81)),
    "alexnet, model-space loss": ((39.71, 9.86), (2.77, 1.00), (92.51, 2.59)),
    "alexnet, model-space loss, bootstrap": ((34.03, 7.56), (2.11, 0.84), (93.96, 2.08)),
    "resnet, model-space loss": ((41.23, 10.58), (2.54, 0.87), (92.07, 2.87)),
}
PLAIN, SPACE, BOOTSTRAP, RESNET = POSTER
WIDE = f"{BOOTSTRAP}, wide and centred"
PANELS = ("geometric", "photometric")
LABEL = {"textcoords": "offset points", "va": "center", "color": "white", "fontsize": 9}
MEAN = "the prior's mean, whatever the picture"


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
    "small": Scale(60_000, 64, 0.125, "resnet18", 0.25, 10_000, 5_000, 4, 8, 3),
    "tiny": Scale(1_000, 64, 0.1, "resnet18", 0.1, 40, 20, 2, 1, 1),
    "full": Scale(200_000, 240, 1.0, "resnet101", 1.0, 75_000, 15_000, 6, 100, 1),
}


@dataclass(frozen=True)
class Row:
    """A row of the table: its name, network and loss; the recipe of its proposals, if any."""

    name: str
    network: str
    width: float
    loss: str
    proposals: str | None = None


@dataclass(frozen=True)
class Trial:
    """One row with one seed, and where it is worked at."""

    row: Row
    seed: int
    scale: Scale
    out: Path
    real: Path

    @property
    def folder(self) -> Path:
        """The trial's own folder."""
        return self.out / f"{slug(self.row.name)}-{self.seed}"


def rows_of(scale: Scale) -> list[Row]:
    """The table's rows at this scale."""
    return [
        Row(PLAIN, "alexnet", scale.width, "parameter"),
        Row(SPACE, "alexnet", scale.width, "model-space"),
        Row(BOOTSTRAP, "alexnet", scale.width, "model-space", "bootstrap"),
        Row(WIDE, "alexnet", scale.width, "model-space", "bootstrap-wide"),
        Row(RESNET, scale.resnet, scale.resnet_width, "model-space"),
    ]


@click.command()
@click.argument("real", type=click.Path(path_type=Path, exists=True))
@click.option("--scale", "scale_name", type=click.Choice(list(SCALES)), default="small")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/poster"))
@click.option("--at-once", type=click.IntRange(1), default=2, help="Trials side by side.")
@click.option("--plot", type=click.Path(path_type=Path), help="Save a chart here (.png).")
@click.option("--faces", type=click.Path(path_type=Path), help="Save re-renderings here (.jpg).")
def main(
    real: Path, scale_name: str, out: Path, at_once: int, plot: Path | None, faces: Path | None
) -> None:
    """Train every row on every seed, judge it on REAL's test pictures, and print the table."""
    scale = SCALES[scale_name]
    if plot and not find_spec("matplotlib"):
        raise click.UsageError("--plot needs matplotlib: pip install 'facegen[benchmarks]'")
    unpack(sorted(real.glob("train-*.tar")), out / "backgrounds")
    words = ("--size", scale.size, "--backgrounds", out / "backgrounds", "--out", out / "corpus")
    facegen("render", "--count", scale.images, *words)
    found = {MEAN: {metric: [value] for metric, value in blind(real).items()}}
    pool = ThreadPoolExecutor(at_once)
    try:
        for name, future in submitted(pool, scale, out, real):
            for metric, value in future.result().items():
                found.setdefault(name, {}).setdefault(metric, []).append(value)
    finally:
        pool.shutdown(cancel_futures=True)
    (out / "table.json").write_text(json.dumps({"scale": asdict(scale), "rows": found}, indent=1))
    click.echo(table(found))
    if plot:
        draw(found, plot)
    if faces:
        sheet([Trial(row, 0, scale, out, real) for row in rows_of(scale)], faces)


def submitted(
    pool: ThreadPoolExecutor, scale: Scale, out: Path, real: Path
) -> list[tuple[str, Future]]:
    """All trials under way, seed by seed, each behind the start that its seed's rows share."""
    futures = []
    for seed in range(scale.seeds):
        trials = [Trial(row, seed, scale, out, real) for row in rows_of(scale)]
        start = pool.submit(started, next(t for t in trials if t.row.name == SPACE))
        futures += [(trial.row.name, pool.submit(judged, trial, start)) for trial in trials]
    return futures


def judged(trial: Trial, start: Future) -> dict[str, float]:
    """Train the trial's network and evaluate it on the held-out pictures."""
    net = bootstrapped(trial, start) if trial.row.proposals else trained(trial, start)
    tars = sorted(trial.real.glob("test-*.tar"))
    picture = trial.folder / "picture.png"
    told = facegen("evaluate", net, *tars, "--json", "--picture", picture)
    means = means_of(json.loads(told)["errors"])
    click.echo(f"{trial.row.name}, seed {trial.seed}: {means['geometric']:.3f} mm", err=True)
    return means


def blind(real: Path) -> dict[str, float]:
    """The errors of always answering the mean of the prior: what a network must beat."""
    corpus = open_corpus(sorted(real.glob("test-*.tar")))
    prior, size = recipe.load(recipe.DEFAULT), corpus.image.size
    model = open_model_of(prior, corpus.model, None)
    answer = moments(prior, model.layout)[0]
    renderer = devices.open_renderer(devices.parse("auto")[0], model, RenderSettings(size))
    stage = evaluate.Stage(model, model.layout, renderer)
    faces = evaluate.read_faces(corpus, size, renderer.batch)
    try:
        found = evaluate.evaluate(lambda images: np.tile(answer, (len(images), 1)), faces, stage)
    finally:
        renderer.close()
    return means_of(metrics.mean_and_sd(found.errors))


def means_of(errors: dict[str, dict[str, float]]) -> dict[str, float]:
    """The means of the table's metrics."""
    return {metric: errors[metric]["mean"] for metric in METRICS}


def started(trial: Trial) -> Path:
    """The network of the rows with the model-space loss, before any is bootstrapped."""
    net = trial.folder / "before.pt"
    train(trial, net, trial.out / "corpus", trial.scale.before, fresh(trial))
    return net


def trained(trial: Trial, start: Future) -> Path:
    """A network trained on the prior's corpus alone; where its start is shared, gone on from it."""
    net = trial.folder / "net.pt"
    if trial.row.name == SPACE and not net.exists():
        write_file(net, start.result().read_bytes())
    train(trial, net, trial.out / "corpus", trial.scale.iterations, fresh(trial))
    return net


def bootstrapped(trial: Trial, start: Future) -> Path:
    """A network that estimates the real pictures, is trained around its estimates, and again."""
    scale, folder, net = trial.scale, trial.folder, start.result()
    steps = (scale.iterations - scale.before) // scale.rounds
    for number in range(1, scale.rounds + 1):
        estimates, around = folder / f"real-{number}.h5", folder / f"shards-{number}"
        facegen("estimate", net, *sorted(trial.real.glob("train-*.tar")), "--out", estimates)
        words = ("--recipe", trial.row.proposals, "--per-image", scale.per_image, "--workers", 1)
        words += ("--size", scale.size, "--seed", number, "--out", around)
        words += ("--backgrounds", trial.out / "backgrounds")
        facegen("bootstrap", "--estimates", estimates, *words)
        after = folder / f"round-{number}.pt"
        train(trial, after, around, steps, ("--from", net))
        net = after
    return net


def fresh(trial: Trial) -> tuple[object, ...]:
    """The words for a network that starts from nothing."""
    return ("--network", trial.row.network, "--width", trial.row.width)


def train(trial: Trial, net: Path, data: Path, steps: int, start: tuple[object, ...]) -> None:
    """Train with the trial's loss and seed."""
    words = ("--loss", trial.row.loss, "--iterations", steps, "--seed", trial.seed)
    facegen("train", data, "--out", net, *words, "--every", -(-steps // 4), *start)


def unpack(tars: list[Path], folder: Path) -> None:
    """The pictures of shards as files, for a folder of backgrounds."""
    folder.mkdir(parents=True, exist_ok=True)
    for tar in tars:
        for key, members in shards.read_samples(tar):
            (folder / f"{key}.jpg").write_bytes(members["jpg"])


def facegen(*words: object) -> str:
    """Run a facegen command on one thread; what it printed."""
    command = [sys.executable, "-m", "facegen.cli", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        why = (done.stderr.splitlines() or [f"ended with {done.returncode}"])[-1]
        raise click.ClickException(f"{' '.join(command[2:])}: {why}")
    return done.stdout


def table(found: dict[str, dict[str, list]]) -> str:
    """Our figures (mean of the seeds' means, their least and most) beside the poster's."""
    head = ("approach", *METRICS.values(), "poster: 8 bit, mm, %")
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *_rows(found)])


def _rows(found: dict[str, dict[str, list]]) -> Iterator[str]:
    for name, values in found.items():
        cells = [_cell(values[metric]) for metric in METRICS]
        poster = ", ".join(f"{mean:.2f}" for mean, _ in POSTER.get(name, ()))
        yield "| " + " | ".join([name, *cells, poster]) + " |"


def _cell(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.2f}"
    return f"{mean} ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else mean


def draw(found: dict[str, dict[str, list]], path: Path) -> None:
    """Two panels of bars: geometric and photometric error by row, the seeds as dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 2.8), dpi=200, layout="constrained")
    names = list(found)[::-1]
    for axes, metric in zip(figure.subplots(1, 2, sharey=True), PANELS, strict=True):
        values = [found[name][metric] for name in names]
        means = [statistics.mean(v) for v in values]
        colours = ["#8a8a8a" if name == MEAN else "#5b8db8" for name in names]
        axes.barh(names, means, color=colours, height=0.62)
        for row, (seeds, mean) in enumerate(zip(values, means, strict=True)):
            axes.plot(seeds, [row] * len(seeds), "o", color="#1d3557", markersize=3)
            axes.annotate(f"{mean:.2f}", (0, row), (4, 0), **LABEL)
        axes.set_xlabel(f"{METRICS[metric]}: less is better")
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def sheet(trials: list[Trial], path: Path) -> None:
    """Photographs, and below them what each trial's network makes of them, twice as large."""
    pictures = [Image.open(trial.folder / "picture.png") for trial in trials]
    width, side = pictures[0].width, pictures[0].height // 3
    strips = [pictures[0].crop((0, 0, width, side))]
    strips += [picture.crop((0, side, width, 2 * side)) for picture in pictures]
    whole = Image.new("RGB", (width, side * len(strips)))
    for row, strip in enumerate(strips):
        whole.paste(strip, (0, row * side))
    whole.resize((2 * whole.width, 2 * whole.height), Image.Resampling.LANCZOS).save(
        path, quality=90
    )


def slug(name: str) -> str:
    """A row's name as a folder's."""
    return name.replace(", ", "-").replace(" ", "-")


if __name__ == "__main__":
    main()
