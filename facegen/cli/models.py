"""`facegen models import`, `info` and `export`: thin words over the rooms beside this one."""

import re
from pathlib import Path

import click

from facegen.cli.options import FILE, NAME
from facegen.errors import ModelError, UsageError
from facegen.files import check_output
from facegen.models import model_file
from facegen.models.catalogue import find, imported, load, names
from facegen.models.morphable_model import MorphableModel


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
def export_command(name: str, out: Path) -> None:
    """Export a face model in the Basel layout."""
    if out.suffix != ".h5":
        raise UsageError(f"{out}: not an .h5 file")
    check_output("OUT", out, model_file.SIGNATURE, (find(name),))
    model_file.write(out, model_file.content_of(load(name)))
    click.echo(f"wrote {out}")


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
