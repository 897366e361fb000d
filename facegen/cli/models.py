"""`facegen models import`, `info` and `export`: thin words over the rooms beside this one."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from facegen.cli.options import FILE, NAME
from facegen.errors import FacegenError, ModelError, UsageError, located
from facegen.files import Array, check_output, read_npy, write_file
from facegen.models import export, extras, model_file
from facegen.models.catalogue import find, imported, load, names
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.recipe import COEFFICIENT_GROUPS
from facegen.scene.parameters import Parameters

MAX_THETA = 1_000_000


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List face models; import, describe or export one."""
    if context.invoked_subcommand is None:
        for name in names():
            click.echo(name)


@models.command("import")
@click.argument("file", type=FILE)
@click.option("--name", help="Its name for --model.  [default: the file's name]")
@click.option(
    "--out",
    type=FILE,
    help="The .h5 file to write.  [default: in the user's data folder]",
)
@click.option("--landmarks", type=FILE, help="A file of 68 vertex numbers or points.")
def import_command(file: Path, name: str | None, out: Path | None, landmarks: Path | None) -> None:
    """Import another project's face model.

    FILE is read by its content: Basel, FLAME, ICT-FaceKit, LSFM, LYHM, GNM, eos, OBJ, PLY.
    """
    from facegen.models.importers.importing import import_model

    name = name_of(file, name)
    path = out or imported() / f"{name}.h5"
    if path.suffix != ".h5":
        raise UsageError(f"--out {path}: not an .h5 file")
    if not out and find_or_none(name) not in (None, path):
        raise UsageError(f"--name {name}: a model that comes along has this name")
    check_output("--out", path, model_file.SIGNATURE, (file, landmarks))
    _, model = import_model(file, path, load("generic"), name, landmarks)
    show(info_of(model, path))
    click.echo(f"wrote {path}; render it with --model {path if out else model.name}")


@models.command("info")
@click.argument("name", type=NAME)
def info_command(name: str) -> None:
    """Describe a face model, and what looks wrong with it.

    NAME is a model's name, or a file of any known format.
    """
    show(info(name))


@models.command("export")
@click.argument("name", type=NAME)
@click.argument("out", type=FILE)
@click.option("--coefficients", type=FILE, help="theta of a face: a sample's theta.npy.")
@click.option("--recipe", type=NAME, help="Export a sample of this recipe.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Of the samples.  [default: 0]")
@click.option(
    "--index", type=click.IntRange(0, 10**10), help="Of the recipe's sample.  [default: 0]"
)
def export_command(name: str, out: Path, **options: Any) -> None:
    """Export a face model, or one of its faces.

    OUT.h5 is the whole model in the Basel layout; OUT.obj, OUT.ply and OUT.glb are one face with
    its colours and texture coordinates, the mean one unless another is asked for. A .glb has the
    model's named expressions as morph targets.
    """
    chosen = Chosen(**options)
    kinds = {".h5": model_file.SIGNATURE, **export.KINDS}
    suffix = out.suffix.lower()
    if suffix not in kinds:
        raise UsageError(f"{out}: not a file of {', '.join(kinds)}")
    chosen.check()
    check_output("OUT", out, kinds[suffix], (extras.inside(find(name))[0], chosen.coefficients))
    if suffix == ".h5":
        if chosen.coefficients or chosen.recipe:
            raise UsageError(f"{out}: an .h5 file is the whole model, not one face")
        export_whole(name, out)
    else:
        model = load(name)
        export.write_face(out, export.face_of(model, find(name), parameters_of(model, chosen)))
    click.echo(f"wrote {out}")


@dataclass(frozen=True)
class Chosen:
    """Which face is to be exported: the command's options."""

    coefficients: Path | None
    recipe: str | None
    seed: int | None
    index: int | None

    def check(self) -> None:
        """Refuse options that say nothing, or two things."""
        if self.coefficients and self.recipe:
            raise UsageError("--coefficients and --recipe both name a face", "give one of them")
        if self.recipe is None and (self.seed is not None or self.index is not None):
            raise UsageError("--seed and --index are those of a sample", "give its --recipe")


def export_whole(name: str, out: Path) -> None:
    """Write a model: its own file as it is, or the one with its named expressions."""
    path = find(name)
    if extras.inside(path)[1]:
        model_file.write(out, model_file.content_of(load(name)))
    else:
        load(name)  # Refused before it is handed on.
        write_file(out, path.read_bytes())


def parameters_of(model: MorphableModel, chosen: Chosen) -> Parameters | None:
    """The parameters of the face that is asked for; None is the mean face."""
    if chosen.coefficients is not None:
        with located(chosen.coefficients):
            return model.layout.unpack(theta_of(chosen.coefficients, model.layout.width))
    if chosen.recipe is None:
        return None
    from facegen.recipe.loading import load as load_recipe
    from facegen.sampling.samples import draw

    stated = load_recipe(chosen.recipe)
    with located(f"recipe {stated.name}"):
        samples = draw(stated, model, chosen.seed or 0, [chosen.index or 0])
    return whole(samples.parameters, model)


def theta_of(path: Path, width: int) -> Array:
    """theta (1, width) of an .npy file; FacegenError says what is wrong with it."""
    theta = np.asarray(read_npy(path, MAX_THETA), np.float32).reshape(-1)
    if theta.shape != (width,) or not np.isfinite(theta).all():
        raise FacegenError(f"holds {theta.shape[0]} numbers, not the {width} finite ones of theta")
    return theta[None]


def whole(parameters: Parameters, model: MorphableModel) -> Parameters:
    """The parameters with as many coefficients as the model has: what a recipe leaves is zero."""
    padded = {}
    for group in model.layout.groups:
        if group.name in COEFFICIENT_GROUPS:
            stated = getattr(parameters, group.name)
            padded[group.name] = np.pad(stated, ((0, 0), (0, group.width - stated.shape[1])))
    return replace(parameters, **padded)


def info(name: str) -> dict[str, str]:
    """The lines of `models info`: of a model of ours, or of a file that was not imported."""
    if name not in names() and not model_file.is_model(Path(name)):
        from facegen.models import describe
        from facegen.models.importers.importing import read

        path = Path(name)
        if not path.exists():
            find(name)  # Says which names there are.
            raise ModelError(f"{path}: No such file or directory")
        return describe.describe(describe.facts_of_foreign(read(path)))
    return info_of(load(name), find(name))


def info_of(model: MorphableModel, path: Path) -> dict[str, str]:
    """The lines of `models info` for a loaded model of ours and its file."""
    from facegen.models import describe

    return describe.describe(describe.facts_of(model, model_file.texts_of(path)))


def show(lines: dict[str, str]) -> None:
    """Print lines of (what, words), long words below each other."""
    for title, text in lines.items():
        first, *more = text.splitlines() or [""]
        click.echo(f"{title:20} {first}")
        for line in more:
            click.echo(f"{'':20} {line}")


def name_of(file: Path, name: str | None) -> str:
    """A name that is one word: as given, or made of the file's."""
    if name is None:
        return re.sub(r"[^A-Za-z0-9._-]+", "-", file.resolve().stem).strip("-.") or "model"
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name):
        raise UsageError(f"--name {name!r}: letters, digits, dots, dashes and underscores only")
    return name


def find_or_none(name: str) -> Path | None:
    """The file of a model of this name, if there is one."""
    return find(name) if name in names() else None
