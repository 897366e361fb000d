"""Shows that cost grows linearly in images, and memory not at all.

    python benchmarks/scaling.py 1k 10k 100k
    python benchmarks/scaling.py --size 64 1k 10k 100k

Makes data sets of the default recipe in a temporary folder (TMPDIR chooses where; 100k of 240
pixels are about 2 GB), each in a fresh process, and prints a Markdown table: images/s once all
workers are at work, the seconds of the whole run, and the largest memory (PSS) of its processes.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any

import click

from facegen.cli.options import Count
from facegen.dataset.resolving import cores, resolve
from facegen.dataset.spec import DatasetSpec, ResolvedSpec
from facegen.generation.bench import Ticks, watch_memory
from facegen.generation.engines.local import LocalEngine
from facegen.generation.run import run

HEAD = (
    "| images | images/s | seconds | start, s | memory, MB |\n| ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True)
class Row:
    """One data set: its images, how fast they came, and the most memory it took."""

    images: int
    images_per_s: float
    seconds: float
    start_s: float
    memory_mb: float

    def __str__(self) -> str:
        """The row in Markdown."""
        return (
            f"| {self.images:,} | {self.images_per_s:,.0f} | {self.seconds:,.1f} "
            f"| {self.start_s:.1f} | {self.memory_mb:,.0f} |"
        )


@click.command()
@click.argument("counts", type=Count(), nargs=-1, required=True)
@click.option("--model", help="Name or .h5 file.  [default: the recipe's]")
@click.option("--device", default="auto", show_default=True)
@click.option("--size", type=int, help="Pixels a side.  [default: the recipe's]")
@click.option("--workers", type=click.IntRange(1), default=cores(), help="Processes.")
def main(counts: tuple[int, ...], **options: Any) -> None:
    """Render data sets of COUNTS images (1k, 10k, 100k), and print what each took."""
    click.echo(HEAD)
    for count in counts:
        click.echo(str(apart(resolve(DatasetSpec(count=count, **options)))))


def apart(spec: ResolvedSpec) -> Row:
    """Measure the spec in a process of its own, so that no run inherits another's memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, spec).result()


def measure(spec: ResolvedSpec) -> Row:
    """Make the data set; its speed is counted from the first finished images on."""
    ticks = Ticks()
    started = time.perf_counter()
    with TemporaryDirectory() as folder, watch_memory() as memory:
        run(replace(spec, out=folder), LocalEngine(), ticks)
        ended = time.perf_counter()
    first, count = ticks.times[0], ticks.samples[0]
    speed = (spec.count - count) / (ended - first)
    return Row(spec.count, speed, ended - started, first - started, max(memory, default=0.0))


if __name__ == "__main__":
    main()
