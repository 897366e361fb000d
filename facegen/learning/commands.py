"""The commands train, estimate and evaluate. torch is opened only when one of them runs."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from facegen import estimates
from facegen.errors import FacegenError
from facegen.learning.config import LOSSES, NETWORKS, WIDTHS, TrainingConfig, parse_weights

FILE = click.Path(path_type=Path)
GIVEN = click.Path(path_type=Path, exists=True, dir_okay=False)
SHARDS = click.argument("shards", nargs=-1, required=True, type=FILE)
DEVICE = click.option("--device", default="auto", help="auto, cpu, cuda or cuda:N, of PyTorch.")
MODEL = click.option("--model", help="Face model, name or .h5 file.  [default: the shards']")
BATCH = click.option("--batch", type=click.IntRange(1, 4096), default=64, help="Pictures at once.")
CONTEXT = {"show_default": True}


@click.command(context_settings=CONTEXT)
@SHARDS
@click.option("--out", type=FILE, default=Path("net.pt"), help="The checkpoint, and its .csv log.")
@click.option("--network", type=click.Choice(NETWORKS), help="[default: --from's, or alexnet]")
@click.option(
    "--width", type=click.FloatRange(*WIDTHS), help="Share of the channels.  [default: --from's, 1]"
)
@click.option("--dropout", type=click.FloatRange(0, 0.95), help="[default: --from's, or 0]")
@click.option("--loss", type=click.Choice(LOSSES), default=LOSSES[0])
@click.option("--weights", help="w_R,w_s,w_e,w_r,w_i of the loss.  [default: calibrated]")
@click.option("--batch", type=click.IntRange(1, 4096), default=32, help="Pictures a step.")
@click.option("--iterations", type=click.IntRange(1), default=75_000, help="Steps in all.")
@click.option("--learning-rate", type=click.FloatRange(0, 1000, min_open=True), default=0.2)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0)
@click.option(
    "--validation",
    type=click.FloatRange(0, 0.9),
    default=0.05,
    help="Share held out, unless there are validation-*.tar.",
)
@click.option("--every", type=click.IntRange(1), default=1000, help="Steps to log, check and save.")
@click.option("--workers", type=click.IntRange(0, 64), help="To decode.  [default: by the device]")
@DEVICE
@click.option("--pretrained", type=GIVEN, help="Weights with torchvision's names, but the last.")
@click.option("--from", "start", type=GIVEN, help="A checkpoint to start from.")
@MODEL
@click.option(
    "--recipe", help="Prior that scales theta and the loss.  [default: --from's, the shards']"
)
def train(weights: str | None, **words: Any) -> None:
    """Train a network on SHARDS (folders or .tar); the same command goes on after a kill."""
    need("torch", "webdataset")
    from facegen.learning.train import train as run

    words["shards"] = tuple(words["shards"])
    config = TrainingConfig(**words, weights=parse_weights(weights) if weights else None)
    facts = run(config, click.echo)
    click.echo(f"{facts.step:,} steps: {config.out}, {config.out.with_suffix('.csv')}")


@click.command(context_settings=CONTEXT)
@click.argument("net", type=FILE)
@click.argument("images", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, default=Path("estimates.h5"))
@click.option("--landmarks", type=FILE, help="JSON or CSV of 68 landmarks or a box by key.")
@click.option("--skip-bad", is_flag=True, help="Leave unreadable pictures out, and say so.")
@BATCH
@DEVICE
def estimate(
    net: Path,
    images: tuple[Path, ...],
    out: Path,
    landmarks: Path | None,
    skip_bad: bool,
    batch: int,
    device: str,
) -> None:
    """Estimate theta of IMAGES: files, folders, .txt lists, shards (.tar)."""
    need("torch")
    from facegen.learning import checkpoint, pictures
    from facegen.learning.devices import device_of
    from facegen.learning.estimate import EstimateSettings, estimator_of, origin_of
    from facegen.learning.estimate import estimate as run

    loaded = checkpoint.load(net)
    framing = pictures.framing_of(loaded.recipe.camera, loaded.network.config.size)
    points = pictures.read_points(landmarks) if landmarks else None
    settings = EstimateSettings(framing, points, skip_bad, batch)
    estimator = estimator_of(loaded.network, device_of(device))
    found, bad = run(estimator, pictures.find_pictures(images), settings)
    for one in bad:
        click.echo(f"skipped: {one.why}", err=True)
    estimates.write(out, replace(found, origin=origin_of(loaded)))
    click.echo(f"{len(found):,} estimates, {len(bad):,} skipped: {out}")


@click.command(context_settings=CONTEXT)
@click.argument("net", type=FILE)
@SHARDS
@click.option("--count", type=click.IntRange(1), help="Images to evaluate.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for a program.")
@click.option("--picture", type=FILE, help="A PNG of 8 inputs, re-renderings and error maps.")
@BATCH
@DEVICE
@click.option("--renderer", default="auto", help="Device that renders, as of `facegen render`.")
@MODEL
def evaluate(net: Path, picture: Path | None, as_json: bool, **words: Any) -> None:
    """Compare estimates of SHARDS' pictures with the truth: errors in colour, mm, IoU and theta."""
    need("torch")
    from facegen.learning.evaluate import evaluate_shards, save_picture, table

    found = evaluate_shards(net, words.pop("shards"), **words)
    if picture:
        save_picture(found, picture)
    click.echo(json.dumps(found.to_json()) if as_json else table(found))


COMMANDS = (train, estimate, evaluate)


def need(*packages: str) -> None:
    """Say how to install what is missing."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        fact = f"{' and '.join(missing)} must be installed for this"
        raise FacegenError(fact, "pip install 'facegen[train]'")
