"""The command line: options into specs, errors into one line."""

import os
import sys
from typing import Any, NoReturn

import click

from facegen import __version__
from facegen.cli import generation, inspection, learning, show
from facegen.cli.doctor import doctor
from facegen.cli.models import models
from facegen.cli.options import CONTEXT
from facegen.cli.recipes import recipes
from facegen.errors import FacegenError, in_one_line


class OneLine(click.Group):
    """A group whose commands end with one line on standard error, never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except FacegenError as error:
            click.echo(f"facegen: {error}", err=True)
            sys.exit(error.exit_code)
        except MemoryError:
            fail("more memory is needed than there is; try fewer --workers")
        except OSError as error:
            fail(words_of(error))


def words_of(error: OSError) -> str:
    """What the system refused, in words."""
    try:
        os.getcwd()
    except OSError:
        return "the working directory is gone; go to one that is there, or give absolute paths"
    text = error.strerror or str(error)
    return in_one_line(f"{error.filename}: {text}" if error.filename else text)


def fail(words: str) -> NoReturn:
    """Say why on standard error, and exit."""
    click.echo(f"facegen: {words}", err=True)
    sys.exit(1)


@click.group(cls=OneLine, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="facegen")
def main() -> None:
    """Exact, labelled training data for face analysis from 3D morphable face models."""


for command in (
    *generation.COMMANDS,
    *learning.COMMANDS,
    *inspection.COMMANDS,
    *show.COMMANDS,
    recipes,
    models,
    doctor,
):
    main.add_command(command)
