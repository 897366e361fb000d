"""`facegen train`, `evaluate`, `export-onnx`. PyTorch is imported only when one of them runs."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import click

from facegen.cli.estimate import CHECKPOINT, CROP, estimate, note, settings_of
from facegen.cli.options import FILE, NAME, FilePath
from facegen.files import check_output
from facegen.learning.config import (
    LANDMARK_HEADS,
    LOSSES,
    NETWORKS,
    PRESETS,
    WIDTHS,
    TrainingConfig,
    parse_weights,
)
from facegen.learning.opening import named, need, open_network

# How files of these kinds begin; those that are there are replaced by their kind alone.
LOG, PNG, ONNX = b"step,", b"\x89PNG", b"\x08"

EXISTING = FilePath(path_type=Path, exists=True, dir_okay=False)
SHARDS = click.argument("shards", nargs=-1, required=True, type=FILE)
DEVICE = click.option("--device", default="auto", help="PyTorch's: auto, cpu, cuda or cuda:N.")
MODEL = click.option(
    "--model", type=NAME, help="Face model: a name, or an .h5 file.  [default: the shards']"
)
BATCH = click.option("--batch", type=click.IntRange(1, 4096), default=64, help="Images at once.")


@click.command()
@SHARDS
@click.option("--out", type=FILE, default=Path("net.pt"), help="The checkpoint, and its .csv log.")
@click.option(
    "--preset",
    type=click.Choice(tuple(PRESETS)),
    default="modern",
    help="modern: a residual network, Muon and AdamW; paper: AlexNet and AdaDelta.",
)
@click.option(
    "--network", type=click.Choice(NETWORKS), help="Architecture.  [default: --from's, or preset's]"
)
@click.option(
    "--width", type=click.FloatRange(*WIDTHS), help="Share of the channels.  [default: --from's, 1]"
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 0.95),
    help="Share of units dropped in AlexNet.  [default: --from's, or 0]",
)
@click.option(
    "--landmarks",
    type=click.Choice(LANDMARK_HEADS),
    help="How landmarks2d are found.  [default: --from's, or the preset's]",
)
@click.option("--loss", type=click.Choice(LOSSES), default=LOSSES[0], help="Of theta.")
@click.option(
    "--weights", help="Of the loss, by group: w_R,w_s,w_e,w_r,w_i.  [default: calibrated]"
)
@click.option(
    "--batch", type=click.IntRange(1, 4096), help="Images per step.  [default: the preset's]"
)
@click.option(
    "--iterations", type=click.IntRange(1), help="Steps in total.  [default: the preset's]"
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, 1000, min_open=True),
    help="The highest.  [default: the preset's]",
)
@click.option(
    "--augmentation",
    type=click.FloatRange(0, 1),
    help="How strongly images are changed.  [default: the preset's]",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0)
@click.option(
    "--validation",
    type=click.FloatRange(0, 0.9),
    default=0.05,
    help="Share of samples held out, unless there are validation-*.tar.",
)
@click.option(
    "--every",
    type=click.IntRange(1),
    default=1000,
    help="Log, validate and save every so many steps.",
)
@click.option(
    "--workers", type=click.IntRange(0, 64), help="Processes that decode.  [default: by the device]"
)
@DEVICE
@click.option(
    "--pretrained",
    type=EXISTING,
    help="torchvision weights of this network; the last layer is not used.",
)
@click.option("--from", "start", type=NAME, help="A checkpoint to start from, or shipped.")
@MODEL
@click.option(
    "--recipe",
    type=NAME,
    help="Its prior scales theta and the loss.  [default: --from's, or the shards']",
)
def train(weights: str | None, **options: Any) -> None:
    """Train a network on shards.

    SHARDS are folders of data sets, or .tar files of them.

    Stopped or killed, the same command continues from the last checkpoint.
    """
    need("train", "torch")
    from facegen.learning.train import train as run

    options["shards"] = tuple(options["shards"])
    if options["start"]:
        options["start"] = named(options["start"])
    out, read = options["out"], (*options["shards"], options["pretrained"])
    check_output("--out", out, CHECKPOINT, read)
    check_output("the log of --out,", out.with_suffix(".csv"), LOG, (*read, out))
    config = TrainingConfig(**options, weights=parse_weights(weights) if weights else None)
    checkpoint = run(config, click.echo)
    click.echo(f"{checkpoint.step:,} steps: {config.out}, {config.out.with_suffix('.csv')}")


@click.command()
@click.argument("net", metavar="NETWORK", type=NAME)
@click.argument("paths", metavar="SHARDS|PHOTOS...", nargs=-1, required=True, type=FILE)
@click.option("--landmarks", type=FILE, help="Of photographs: 68 that people marked, as JSON, …")
@CROP
@click.option("--count", type=click.IntRange(1), help="Images to evaluate.  [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--comparison", type=FILE, help="A PNG of 8 inputs, re-renderings and error maps.")
@BATCH
@DEVICE
@click.option("--renderer", default="auto", help="Renderer's device: auto, cpu, egl or egl:N.")
@MODEL
def evaluate(
    net: str,
    paths: tuple[Path, ...],
    landmarks: Path | None,
    crop: str | None,
    comparison: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare estimates with the truth.

    NETWORK is a checkpoint, an .onnx file, or shipped. Of SHARDS, whose truth is known: errors of
    colour, shape, masks, landmarks and theta. Of PHOTOS with --landmarks: how far those that are
    found are from those that people marked.
    """
    network = named(net)
    if landmarks:
        click.echo(of_photographs(network, paths, landmarks, crop, as_json, options))
        return
    from facegen.learning.comparison import save
    from facegen.learning.evaluate import EvaluateSettings, evaluate_shards, table

    if comparison:
        check_output("--comparison", comparison, PNG, (network, *paths))
    evaluation = evaluate_shards(network, paths, EvaluateSettings(**options))
    if comparison:
        save(evaluation.comparison, comparison)
    click.echo(json.dumps(evaluation.to_json()) if as_json else table(evaluation))


def of_photographs(
    network: Path,
    paths: tuple[Path, ...],
    landmarks: Path,
    crop: str | None,
    as_json: bool,
    options: dict[str, Any],
) -> str:
    """The errors of landmarks found in photographs, in words."""
    from facegen.learning.images import find_images
    from facegen.learning.photographs import evaluate_photographs, table
    from facegen.learning.points import read_points

    trained = open_network(network, options["device"])
    given = landmarks if crop == "given" else None
    asked = {"crop": crop, "landmarks": given, "strict": False, "batch": options["batch"]}
    images = list(islice(find_images(paths, note), options["count"]))
    marked = evaluate_photographs(
        trained, images, read_points(landmarks), settings_of(trained, asked, named=False)
    )
    return json.dumps(marked.to_json()) if as_json else table(marked)


@click.command("export-onnx")
@click.argument("net", type=FILE)
@click.argument("out", type=FILE)
@click.option("--half", is_flag=True, help="Keep weights as 16-bit floats: half the size.")
def export_onnx(net: Path, out: Path, half: bool) -> None:
    """Write a network as ONNX, checked against PyTorch.

    NET is a checkpoint. OUT is what `facegen estimate` and any runtime for ONNX read: images
    (N, S, S, 3) uint8 -> theta, sd, landmarks, landmarks_sd, visible.
    """
    need("train", "torch", "onnx", "onnxscript", "onnxruntime")
    from facegen.learning import checkpoint
    from facegen.learning.export import export

    check_output("OUT", out, ONNX, (net,))
    difference = export(checkpoint.load(net), out, half)
    click.echo(f"{out}: {out.stat().st_size:,} bytes, within {difference:.1e} of PyTorch")


COMMANDS = (train, estimate, evaluate, export_onnx)
