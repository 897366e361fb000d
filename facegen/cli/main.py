"""The command line: options into specs, errors into one line."""

import signal
import sys
from types import FrameType
from typing import Any

import click

from facegen import __version__
from facegen.cli import generation, inspection, learning
from facegen.cli.doctor import doctor
from facegen.cli.models import models
from facegen.cli.options import CONTEXT
from facegen.cli.recipes import recipes
from facegen.errors import FacegenError


class OneLine(click.Group):
    """A group whose commands end with one line on standard error, never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        signal.signal(signal.SIGTERM, interrupted)
        try:
            return super().invoke(context)
        except FacegenError as error:
            click.echo(f"facegen: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("facegen: stopped; run the same command again to continue", err=True)
            sys.exit(130)


def interrupted(number: int, frame: FrameType | None) -> None:
    """SIGTERM is taken like Ctrl-C."""
    raise KeyboardInterrupt


@click.group(cls=OneLine, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="facegen")
def main() -> None:
    """Exact, labelled training data for face analysis from 3D morphable face models."""


for command in (
    *generation.COMMANDS,
    *learning.COMMANDS,
    *inspection.COMMANDS,
    recipes,
    models,
    doctor,
):
    main.add_command(command)
