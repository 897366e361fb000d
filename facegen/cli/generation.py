"""`facegen render`, `bootstrap`, `index` and `bench`: data sets made, and how fast."""

import json
import sys
from dataclasses import asdict
from typing import Any

import click

from facegen.cli.options import (
    FILE,
    IMAGE_OPTIONS,
    NAME,
    RECORDED_MODEL,
    SHARD_OPTIONS,
    Count,
    spec_option,
    with_options,
)
from facegen.cli.progress import Bar, failures, summary
from facegen.dataset.index import open_spec
from facegen.dataset.resolving import resolve
from facegen.dataset.spec import DatasetSpec
from facegen.dataset.stores.opening import open_store
from facegen.generation import bench
from facegen.generation.run import engine_of, join, run


@click.command()
@spec_option("count", Count(), "Number of samples: 1000, 20k, 1M, 1G.")
@spec_option("recipe", NAME, "A name, or a .toml file.")
@with_options(*SHARD_OPTIONS)
def render(**options: Any) -> None:
    """Render a data set from a recipe.

    Samples the recipe's prior and writes faces with their parameters into shards. Stopped or
    killed, the same command continues.
    """
    make(DatasetSpec(**options))


@click.command()
@click.option("--estimates", type=FILE, required=True, help="The .h5 file of estimates.")
@spec_option("count", Count(), "Number of samples.  [default: by --per-image]")
@spec_option("per_image", Count(), "Samples per estimate.  [default: 1]")
@click.option("--weighted", is_flag=True, help="Draw estimates in proportion to their confidence.")
@click.option(
    "--adaptive", is_flag=True, help="Perturb as far as /sd says, not as the recipe does."
)
@click.option("--recipe", type=NAME, default="bootstrap", help="A name, or a .toml file.")
@with_options(*SHARD_OPTIONS)
def bootstrap(**options: Any) -> None:
    """Render faces around estimates of photographs.

    Each sample perturbs one estimate as the recipe states.
    """
    make(DatasetSpec(**options))


def make(spec: DatasetSpec) -> None:
    """Make the data set while a person watches."""
    engine, resolved = engine_of(spec), resolve(spec)
    for note in resolved.notes:
        click.echo(f"facegen: {note}", err=True)
    with Bar(resolved) as bar:
        result = run(resolved, engine, bar)
    click.echo(summary(resolved, result))
    for line in failures(resolved, result):
        click.echo(f"facegen: {line}", err=True)
    sys.exit(1 if result.failed else 0)


@click.command("index")
@click.argument("dataset", metavar="DIR", type=NAME)
@RECORDED_MODEL
def index(dataset: str, model: str | None) -> None:
    """Join parts that were rendered with --shards.

    Writes dataset.json, the card and the preview of the data set in DIR.
    """
    options = DatasetSpec(model=model, device="cpu")
    samples = join(open_spec(open_store(dataset), options))
    click.echo(f"{samples:,} images: {dataset}/dataset.json")


@click.command("bench")
@spec_option("recipe", NAME, "A name, or a .toml file.")
@with_options(*IMAGE_OPTIONS)
@click.option("--count", type=Count(), default=4000, help="Samples per run.")
@click.option(
    "--repeats", type=click.IntRange(1, 100), default=3, help="Runs; the medians are printed."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_command(repeats: int, as_json: bool, **options: Any) -> None:
    """Measure how fast this machine is.

    Prints images/s, the time of each stage, memory, and the ratio to the unavoidable work.
    """
    spec = resolve(DatasetSpec(**options))
    figures = bench.measure(spec, repeats)
    click.echo(json.dumps(asdict(figures)) if as_json else bench.table(figures, spec))


COMMANDS = (render, bootstrap, index, bench_command)
