"""`facegen recipes`: those of the package, listed and shown."""

import click

from facegen.cli.options import NAME
from facegen.recipe.loading import load, names, source


@click.group(invoke_without_command=True)
@click.pass_context
def recipes(context: click.Context) -> None:
    """List recipes, or show one."""
    if context.invoked_subcommand is None:
        for name in names():
            click.echo(f"{name:20} {load(name).table.get('description', '')}")


@recipes.command("show")
@click.argument("name", type=NAME)
def show(name: str) -> None:
    """Print a recipe, by name or from a .toml file."""
    load(name)
    click.echo(source(name), nl=False)
