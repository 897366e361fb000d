"""The poster's table, on a "real" domain whose truth is known: does the loop close?

Three ways: the paper's (AlexNet, AdaDelta), and the modern preset on two recipes. Rows of each: the
parameter loss, the model-space loss, and bootstrapped with the poster's perturbation; the paper's,
too, with a wide, zero-mean one (recipe bootstrap-wide) and as a ResNet; the modern ones', too,
adaptive (as far around each estimate as it says); and a ceiling, the last way's network trained on
the photographs' own labels. All rows of a way get the same number of steps, the bootstrapped ones
some of them on the renderings that all begin with. The "real" photographs are those of
real_domain.py. Those for training are used without their labels but for the ceiling:
bootstrapping estimates them, and they stand behind all rendered heads. All rows are judged on
photographs held out. Each step is one facegen command; what is complete is not made again.

    python benchmarks/real_domain.py --train 1500 --test 200 --size 64 --out REAL
    python benchmarks/poster_table.py REAL --scale small --out data/poster --plot table.png
"""

import json
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
from PIL import Image
from poster_trials import (
    BOOTSTRAP,
    LAYERS,
    METRICS,
    PLAIN,
    RESNET,
    SCALES,
    SPACE,
    Command,
    Scale,
    Trial,
    facegen,
    means_of,
    rendered,
    rows_of,
    submitted,
)

from facegen.dataset.shards import read_samples
from facegen.learning import evaluate, metrics
from facegen.learning.found import Found
from facegen.learning.training_set import open_model_of, open_training_set
from facegen.learning.truth import read_faces
from facegen.recipe.loading import DEFAULT, load
from facegen.rendering import devices
from facegen.rendering.contract import RenderSettings
from facegen.sampling.prior import prior_of

# InverseFaceNet's poster: mean and standard deviation over its test images.
POSTER = {
    f"paper: {PLAIN}": ((46.26, 12.42), (2.91, 0.99), (90.44, 3.81)),
    f"paper: {SPACE}": ((39.71, 9.86), (2.77, 1.00), (92.51, 2.59)),
    f"paper: {BOOTSTRAP}": ((34.03, 7.56), (2.11, 0.84), (93.96, 2.08)),
    f"paper: {RESNET}": ((41.23, 10.58), (2.54, 0.87), (92.07, 2.87)),
}
PANELS = ("face_similar", "photometric")
LABEL = {"textcoords": "offset points", "va": "center", "color": "white", "fontsize": 9}
MEAN = "the prior's mean, whatever the image"

Figures = dict[str, dict[str, list[float]]]


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
    """Train every row on every seed, judge it on REAL's test photographs, and print the table."""
    if plot and not find_spec("matplotlib"):
        raise click.UsageError("--plot needs matplotlib: pip install 'facegen[benchmarks]'")
    task = Task(SCALES[scale_name], real, out)
    figures = measured(task, at_once)
    click.echo(table(figures))
    if plot:
        draw(figures, plot)
    if faces:
        sheet(task.trials(0), faces)


def unpack(tars: list[Path], folder: Path) -> None:
    """The photographs of shards as files, for a folder of backgrounds."""
    folder.mkdir(parents=True, exist_ok=True)
    for tar in tars:
        for key, members in read_samples(tar):
            (folder / f"{key}.jpg").write_bytes(members["jpg"])


def blind(real: Path) -> dict[str, float]:
    """The errors of always answering the mean of the prior: what a network must beat."""
    training_set = open_training_set(sorted(real.glob("test-*.tar")))
    recipe, size = load(DEFAULT), training_set.image.size
    model = open_model_of(recipe, training_set.model, None)
    answer = prior_of(recipe, model.layout).moments()[0]
    renderer = devices.open_renderer(devices.parse("auto")[0], model, RenderSettings(size))
    rerendering = evaluate.Rerendering(model, model.layout, renderer)
    faces = read_faces(training_set, size, renderer.batch)
    try:
        evaluation = evaluate.evaluate(
            lambda images: Found(np.tile(answer, (len(images), 1))), faces, rerendering
        )
    finally:
        renderer.close()
    return means_of(metrics.mean_and_sd(evaluation.errors))


@dataclass(frozen=True)
class Task:
    """The table to make: its scale, photographs and folder, and what does the work."""

    scale: Scale
    real: Path
    out: Path
    facegen: Command = facegen
    blind: Callable[[Path], dict[str, float]] = blind
    unpack: Callable[[list[Path], Path], None] = unpack

    def trials(self, seed: int) -> list[Trial]:
        """Every row with this seed."""
        return [
            Trial(row, seed, self.scale, self.out, self.real, self.facegen)
            for row in rows_of(self.scale)
        ]


def measured(task: Task, at_once: int) -> Figures:
    """Each row's figures by metric, one of each seed; also in OUT/table.json."""
    out, scale = task.out, task.scale
    task.unpack(sorted(task.real.glob("train-*.tar")), out / "backgrounds")
    options = ("--size", scale.size, "--backgrounds", out / "backgrounds", *LAYERS)
    for recipe in dict.fromkeys(way.recipe for way in scale.ways):
        of_recipe = ("--recipe", recipe, "--count", scale.images, "--out", rendered(out, recipe))
        task.facegen("render", *of_recipe, *options)
    figures: Figures = {MEAN: {metric: [v] for metric, v in task.blind(task.real).items()}}
    pool = ThreadPoolExecutor(at_once)
    try:
        for name, future in submitted(pool, [task.trials(seed) for seed in range(scale.seeds)]):
            for metric, value in future.result().items():
                figures.setdefault(name, {}).setdefault(metric, []).append(value)
    finally:
        pool.shutdown(cancel_futures=True)
    record = {"scale": asdict(scale), "rows": figures}
    (out / "table.json").write_text(json.dumps(record, indent=1))
    return figures


def table(figures: Figures) -> str:
    """Our figures (mean of the seeds' means, their least and most) beside the poster's."""
    head = ("approach", *METRICS.values(), "poster: 8 bit, mm, %")
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *_lines(figures)])


def _lines(figures: Figures) -> Iterator[str]:
    for name, values in figures.items():
        cells = [_cell(values[metric]) for metric in METRICS]
        poster = ", ".join(f"{mean:.2f}" for mean, _ in POSTER.get(name, ()))
        yield "| " + " | ".join([name, *cells, poster]) + " |"


def _cell(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.2f}"
    return f"{mean} ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else mean


def draw(figures: Figures, path: Path) -> None:
    """Two panels of bars: geometric and photometric error by row, the seeds as dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 2.8), dpi=200, layout="constrained")
    names = list(figures)[::-1]
    for axes, metric in zip(figure.subplots(1, 2, sharey=True), PANELS, strict=True):
        values = [figures[name][metric] for name in names]
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
    images = [Image.open(trial.comparison) for trial in trials]
    width, side = images[0].width, images[0].height // 3
    strips = [images[0].crop((0, 0, width, side))]
    strips += [image.crop((0, side, width, 2 * side)) for image in images]
    whole = Image.new("RGB", (width, side * len(strips)))
    for row, strip in enumerate(strips):
        whole.paste(strip, (0, row * side))
    large = whole.resize((2 * whole.width, 2 * whole.height), Image.Resampling.LANCZOS)
    large.save(path, quality=90)


if __name__ == "__main__":
    main()
