"""The command line: words into a job, errors into one line."""

import json
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

import click

from facegen import __version__, bench, model_formats, recipe
from facegen import estimates as estimates_files
from facegen.backgrounds import list_pictures
from facegen.commands_verify import report_command, verify_command
from facegen.doctor import examine
from facegen.engines import cores
from facegen.engines.local import LocalEngine
from facegen.engines.ray import RayEngine
from facegen.errors import FacegenError, RecipeError, UsageError, located
from facegen.files import digest
from facegen.generate import Engine, generate, join
from facegen.job import EstimatesFile, Job, default_shard_size, parse_part
from facegen.layers import LAYERS
from facegen.layers import parse as parse_layers
from facegen.learning.commands import COMMANDS as LEARNING
from facegen.model_formats import commands as model_commands
from facegen.opened import read_job
from facegen.plan import default_count, shards_of
from facegen.progress import Progress, failures, summary
from facegen.renderers import devices
from facegen.stores import open_store
from facegen.studio import prepare_job, resampling_of

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
MAX_COUNT = 10**10
DEVICES = "auto, cpu, egl, egl:N or several: egl:0,egl:1."
BENCH = {
    "recipe": recipe.DEFAULT,
    "out": ".",
    "shards": None,
    "seed": 0,
    "format": None,
    "quality": None,
    "shard_size": None,
    "backgrounds": None,
}
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}


class OneLine(click.Group):
    """A group whose commands end with one line on standard error, never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        signal.signal(signal.SIGTERM, interrupted)
        try:
            return super().invoke(context)
        except FacegenError as error:
            click.echo(f"facegen: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("facegen: stopped; run the same command again to go on", err=True)
            sys.exit(130)


def interrupted(number: int, frame: FrameType | None) -> None:
    """SIGTERM is taken like Ctrl-C."""
    raise KeyboardInterrupt


class Count(click.ParamType):
    """A number of things: 1000, 1k, 2.5M, 1G."""

    name = "count"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)([kmg]?)", str(value).replace("_", ""), re.I)
        number = float(match[1]) * UNITS[match[2].lower()] if match else 0.5
        if number != int(number):
            self.fail(f"{value!r} is not a whole number like 1000, 20k or 1M", param, ctx)
        if not 1 <= number <= MAX_COUNT:
            self.fail(f"{value!r} is not between 1 and 10G", param, ctx)
        return int(number)


@click.group(cls=OneLine, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="facegen")
def main() -> None:
    """Exact, labelled training data for face analysis from 3D morphable face models."""


def shard_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that makes shards."""
    options = [
        click.option("--out", default="data/faces", help="A folder, or a URL: s3://bucket/faces."),
        click.option("--model", help="Name or .h5 file.  [default: the recipe's]"),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0),
        click.option("--size", type=int, help="Pixels a side.  [default: the recipe's]"),
        click.option("--layers", default="", help=f"Of {', '.join(LAYERS)}; or all."),
        click.option("--format", help=f"{', '.join(recipe.FORMATS)}.  [default: the recipe's]"),
        click.option("--quality", type=int, help="1 to 100.  [default: the recipe's]"),
        click.option("--shard-size", type=Count(), help="Samples a shard.  [default: by --count]"),
        click.option(
            "--workers", type=click.IntRange(1, 1024), help="Processes.  [default: the cores]"
        ),
        click.option("--shards", help="Only this part of the shards: A:B, or k/N."),
        click.option("--engine", type=click.Choice(["local", "ray"]), default="local"),
        click.option("--address", default="", help="Of the Ray cluster.  [default: this machine]"),
        click.option("--device", default="auto", help=DEVICES),
        click.option(
            "--backgrounds", type=click.Path(path_type=Path), help="A folder of pictures."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@click.option("--count", type=Count(), help="Samples: 1000, 20k, 1M, 1G.")
@click.option("--recipe", default=recipe.DEFAULT, help="Name or .toml file.")
@shard_options
def render(**words: Any) -> None:
    """Sample a recipe's prior and render it into shards."""
    run(job_of(words), engine_of(words))


@main.command("bootstrap")
@click.option("--estimates", type=click.Path(path_type=Path), required=True, help="An .h5 file.")
@click.option("--count", type=Count(), help="Samples.  [default: by --per-image]")
@click.option("--per-image", type=Count(), help="Samples an estimate.  [default: 1]")
@click.option("--weighted", is_flag=True, help="Use estimates in proportion to /confidence.")
@click.option("--recipe", default="bootstrap", help="Name or .toml file.")
@shard_options
def bootstrap_command(estimates: Path, per_image: int | None, weighted: bool, **words: Any) -> None:
    """Resample around estimates from real photographs and render that into shards."""
    if words["count"] and per_image:
        raise UsageError("--count and --per-image say the same thing", "give one of them")
    file = EstimatesFile(estimates, digest(estimates), weighted)
    found = estimates_files.read(estimates)
    if weighted and found.confidence is None:
        raise UsageError(f"--weighted: {estimates} has no /confidence", "leave --weighted out")
    words["model"] = words["model"] or found.origin.model or None
    words["count"] = words["count"] or len(found) * (per_image or 1)
    job = job_of(words, file)
    with located(estimates):
        for note in estimates_files.check_layout(found, job.layout, job.model.sha256):
            click.echo(f"facegen: {estimates}: {note}", err=True)
        # What cannot be resampled is refused before anything is written.
        resampling_of(job.recipe, job.layout, found, weighted)
    run(job, engine_of(words))


def run(job: Job, engine: Engine) -> None:
    """Make the job's data set while a person watches."""
    with Progress(job) as progress:
        done = generate(job, engine, progress.listen)
    click.echo(summary(job, done))
    for line in failures(job, done):
        click.echo(f"facegen: {line}", err=True)
    sys.exit(1 if done.failed else 0)


def with_image(chosen: recipe.Recipe, image: dict[str, Any]) -> recipe.Recipe:
    """The recipe with what --size, --format and --quality say."""
    try:
        return chosen.with_changes({"image": image})
    except RecipeError as error:
        raise UsageError(f"--size, --format, --quality: {error.fact}", error.mend) from None


def engine_of(words: dict[str, Any]) -> Engine:
    """The engine that the words of the command line mean."""
    if words["engine"] == "ray":
        if words["workers"] or "," in words["device"]:
            raise UsageError("--engine ray takes one --device and no --workers")
        return RayEngine(words["address"], 1.0 if words["device"].startswith("egl") else 0.0)
    if words["address"]:
        raise UsageError("--address is for --engine ray")
    return LocalEngine()


def job_of(words: dict[str, Any], estimates: EstimatesFile | None = None) -> Job:
    """The job that the words of the command line mean, checked."""
    chosen = recipe.load(words["recipe"])
    image = {key: words[key] for key in ("size", "format", "quality") if words[key] is not None}
    chosen = with_image(chosen, image)
    pictures = words["backgrounds"]
    count = words["count"] or default_count(chosen.identities)
    if count is None:
        raise UsageError("--count is missing", "say how many: --count 1k")
    size = words["shard_size"] or default_shard_size(count)
    with located(f"recipe {chosen.name}"):
        shards = len(shards_of(chosen, count, size))
    return prepare_job(
        recipe=chosen,
        model=words["model"] or chosen.model,
        estimates=estimates,
        seed=words["seed"],
        count=count,
        shard_size=size,
        part=parse_part(words["shards"], shards) if words["shards"] else (0, shards),
        layers=parse_layers(words["layers"]),
        backgrounds=list_pictures(pictures) if pictures else None,
        out=words["out"] if "://" in words["out"] else str(Path(words["out"]).absolute()),
        devices=devices.parse(words["device"]),
        workers=words["workers"] or cores(),
    )


@main.command("bench")
@click.option("--model", help="Name or .h5 file.  [default: the recipe's]")
@click.option("--device", default="auto", help=DEVICES)
@click.option("--size", type=int, help="Pixels a side.  [default: the recipe's]")
@click.option("--layers", default="", help=f"Of {', '.join(LAYERS)}; or all.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes.  [default: the cores]")
@click.option("--count", type=Count(), default=4000, help="Samples a run.")
@click.option("--repeats", type=click.IntRange(1, 100), default=3, help="Runs; medians are shown.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for a program.")
def bench_command(repeats: int, as_json: bool, **words: Any) -> None:
    """Measure images/s, the time of each stage, memory, and the ratio to the floor."""
    job = job_of(BENCH | words)
    figures = bench.measure(job, repeats)
    click.echo(json.dumps(asdict(figures)) if as_json else bench.table(figures, job))


@main.group(invoke_without_command=True)
@click.pass_context
def recipes(context: click.Context) -> None:
    """List the recipes that come along."""
    if context.invoked_subcommand is None:
        for name in recipe.names():
            click.echo(f"{name:20} {recipe.load(name).table.get('description', '')}")


@recipes.command("show")
@click.argument("name")
def show_recipe(name: str) -> None:
    """Print a recipe."""
    click.echo(recipe.load(name) and recipe.source(name), nl=False)


@main.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the face models: those that come along, and those imported."""
    if context.invoked_subcommand is None:
        for name in model_formats.names():
            click.echo(name)


model_commands.register(models)


@main.command("index")
@click.argument("dataset", metavar="DIR")
@click.option("--model", help="Name or .h5 file.  [default: the recorded name]")
def index_command(dataset: str, model: str | None) -> None:
    """Join the parts that `--shards` made apart: index, card and preview."""
    click.echo(f"{join(read_job(open_store(dataset), model)):,} images: {dataset}/dataset.json")


@main.command()
def doctor() -> None:
    """Say whether everything a run needs is here."""
    findings = list(examine(Path.cwd()))
    for finding in findings:
        click.echo(f"{'ok ' if finding.ok else 'NO '} {finding.what:9} {finding.found}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


for command in (verify_command, report_command, *LEARNING):
    main.add_command(command)


if __name__ == "__main__":
    main()
