"""`facegen show`: a recipe, a face model or a sample as one picture."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facegen.cli.options import FILE, NAME
from facegen.errors import UsageError, located
from facegen.files import check_output, write_file
from facegen.models import catalogue
from facegen.models.morphable_model import MorphableModel
from facegen.recipe import loading
from facegen.recipe.image import SIZES, Format, ImageFormat
from facegen.recipe.recipe import Recipe

if TYPE_CHECKING:
    from jaxtyping import UInt8

    from facegen.files import Array
    from facegen.inspection.sheets import Arrangement

    Pixels = UInt8[Array, "H W 3"]

KINDS = {".png": b"\x89PNG", ".jpg": b"\xff\xd8"}
FORMATS: dict[str, Format] = {".png": "png", ".jpg": "jpg"}
QUALITY = 88
SIDE = click.IntRange(SIZES[0], SIZES[-1])


@click.command("show")
@click.argument("target", metavar="[RECIPE|MODEL]", type=NAME, required=False)
@click.option("--out", type=FILE, required=True, help="The .png or .jpg to write.")
@click.option("--grid", help="Columns x rows of faces.  [default: 8x8; of one sweep, one row]")
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    help="PARAMETER=LOW:HIGH:STEPS, such as shape.0=-3:3:7, expression.jawOpen=0:1:5, "
    "attributes.age=18:80:7, rotation.yaw=-90:90:7; a second one goes down the rows.",
)
@click.option("--people", is_flag=True, help="Every face of a sweep is another person.")
@click.option("--sample", metavar="DATASET:INDEX", help="Show a sample and all its layers instead.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, help="Of the samples shown.")
@click.option(
    "--size",
    type=SIDE,
    help="Pixels a face.  [default: the recipe's]",
)
@click.option("--model", type=NAME, help="Face model of a recipe.  [default: the recipe's]")
@click.option("--device", default="auto", help="Renders: auto, cpu, egl or egl:N.")
def show_command(target: str | None, out: Path, sample: str | None, **options: Any) -> None:
    """Show a recipe, a face model or a sample as one picture.

    A recipe shows the samples it makes; a model shows people of all kinds, level, neutral and
    softly lit, and its sweeps change the average one.
    """
    kind = out.suffix.lower()
    if kind not in KINDS:
        raise UsageError(f"--out {out}: not a file of {', '.join(KINDS)}")
    check_output("--out", out, KINDS[kind], ())
    if (target is None) == (sample is None):
        raise UsageError("show needs a recipe or a model, or --sample DATASET:INDEX")
    asked = Asked(**options)
    if sample and asked != UNASKED:
        raise UsageError("--sample: a sample is shown as it is", "leave the other options out")
    page, words = sample_page(sample) if sample else faces_page(str(target), asked)
    write_file(out, encoded(page, kind))
    click.echo(f"{out}: {words}")


@dataclass(frozen=True)
class Asked:
    """What the command is asked to show of a recipe or a model: its options."""

    grid: str | None
    sweeps: tuple[str, ...]
    people: bool
    seed: int
    size: int | None
    model: str | None
    device: str


UNASKED = Asked(None, (), False, 0, None, None, "auto")


def encoded(page: "Pixels", kind: str) -> bytes:
    """A page as a file of this suffix."""
    from facegen.dataset.encoding import encode_image

    return encode_image(page, ImageFormat(page.shape[0], FORMATS[kind], QUALITY))


def faces_page(target: str, asked: Asked) -> "tuple[Pixels, str]":
    """A sheet of samples, or of sweeps; and what it shows, in words."""
    from facegen.inspection.sheets import faces, sheet, swept

    recipe, model = subject(target, asked)
    arrangement = arrangement_of(asked, recipe)
    with located(f"recipe {recipe.name}"):
        shown = swept(recipe, arrangement) if arrangement.sweeps else recipe
        indices = arrangement.indices if asked.sweeps else in_grid(shown, arrangement.indices)
        tiles = faces(shown, model, asked.seed, indices, asked.device)
    words = " by ".join(sweep.name for sweep in arrangement.sweeps) or f"recipe {recipe.name}"
    size = f"{arrangement.rows} rows of {arrangement.columns}"
    return sheet(tiles, arrangement.columns), f"{size}, {words}, model {model.name}"


def subject(target: str, asked: Asked) -> tuple[Recipe, MorphableModel]:
    """The recipe that is named, or one that shows the model that is named; and the model."""
    from facegen.inspection.sheets import portrait

    if target in loading.names() or target.endswith(".toml"):
        recipe = loading.load(target)
        model = catalogue.load(asked.model or recipe.model)
    else:
        if asked.model is not None:
            raise UsageError(f"--model {asked.model}: {target} is a model already, or no recipe")
        if Path(target).is_dir() and target not in catalogue.names():
            hint = f"of a data set, show a sample: --sample {target}:0"
            raise UsageError(f"{target}: a folder, not a recipe or a model", hint)
        model = catalogue.load(target)
        people = asked.people or not asked.sweeps
        recipe = loading.load(loading.DEFAULT).with_changes(portrait(model, people))
    return recipe.with_changes({"image": {"size": asked.size}}) if asked.size else recipe, model


def arrangement_of(asked: Asked, recipe: Recipe) -> "Arrangement":
    """How faces are laid out: columns, rows, and what changes along them."""
    from facegen.inspection.sheets import MAX_TILES, Arrangement, parse_sweep

    ways = tuple(parse_sweep(text) for text in asked.sweeps)
    if len(ways) > 2 or len({way.path for way in ways}) < len(ways):
        raise UsageError("--sweep: a sheet has two sides, so at most two sweeps, each once")
    if asked.people and not ways:
        raise UsageError("--people: without a sweep every face is another person already")
    swept = (*(way.steps for way in ways), 1) if ways else default_grid(recipe)
    columns, rows = parse_grid(asked.grid) if asked.grid else swept[:2]
    if ways and (columns != ways[0].steps or (len(ways) == 2 and rows != ways[1].steps)):
        raise UsageError(
            f"--grid {asked.grid}: a sweep says how many there are of its side",
            f"say {swept[0]}x{swept[1]}",
        )
    if columns * rows > MAX_TILES:
        raise UsageError(f"--grid, --sweep: more than {MAX_TILES:,} faces")
    return Arrangement(columns, rows, ways, asked.people)


def default_grid(recipe: Recipe) -> tuple[int, int]:
    """Columns and rows of 64 samples, or of all where the recipe has fewer."""
    total = recipe.identities.total if recipe.identities else 64
    if recipe.grid and recipe.grid.points <= 16:
        return recipe.grid.points, min(8, total // recipe.grid.points)
    return (8, min(8, total // 8)) if total >= 8 else (total, 1)


def in_grid(recipe: Recipe, numbers: list[int]) -> list[int]:
    """The samples in the order of people, each at every point of the recipe's grid, if it has one.

    A data set's order is the other way round: its shards mix people.
    """
    if recipe.grid is None or recipe.identities is None or len(recipe.splits) > 1:
        return numbers
    points, people = recipe.grid.points, recipe.identities.count
    return [number % points * people + number // points for number in numbers]


def parse_grid(text: str) -> tuple[int, int]:
    """Columns and rows of '8x8'."""
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    if not match or "0" in match.groups():
        raise UsageError(f"--grid: {text!r} is not columns x rows", "say 8x8")
    return int(match[1]), int(match[2])


def sample_page(text: str) -> "tuple[Pixels, str]":
    """A sample's image and layers side by side; and what they are."""
    from facegen.dataset.reader import Dataset
    from facegen.inspection.sheets import layer_tiles, sheet

    where, _, index = text.rpartition(":")
    if not where or not (index.isascii() and index.isdigit() and len(index) < 20):
        raise UsageError(f"--sample: {text!r} is not DATASET:INDEX", "say data/demo:17")
    dataset = Dataset(where)
    if int(index) >= len(dataset):
        raise UsageError(f"--sample: {where} has {len(dataset):,} samples, from 0")
    tiles = layer_tiles(dataset[int(index)])
    return sheet(list(tiles.values()), len(tiles)), ", ".join(tiles)


COMMANDS = (show_command,)
