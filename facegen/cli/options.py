"""What the options of several commands share: types, defaults, and how they become a spec."""

import os
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from facegen.dataset.encoding import LAYERS, Layer, check_layers, parse_layers
from facegen.dataset.spec import DatasetSpec
from facegen.recipe.image import FORMATS

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
MAX_COUNT = 10**10
DEVICES = "Renders: auto, cpu, egl, egl:N, or several: egl:0,egl:1."
CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}
DEFAULTS = {field.name: field.default for field in fields(DatasetSpec)}


class FilePath(click.Path):
    """A path, in which ~ is the user's home; in `--out=~/faces` the shell leaves it."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The path, or a usage error."""
        return super().convert(os.path.expanduser(value), param, ctx)


class Name(click.ParamType):  # type: ignore[type-arg]
    """A name, a path or a URL; in a path ~ is the user's home."""

    name = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The name."""
        return os.path.expanduser(value) if isinstance(value, str) else value


FILE, NAME = FilePath(path_type=Path), Name()
WORKERS = click.option(
    "--workers", type=click.IntRange(1, 1024), help="Processes.  [default: one per core]"
)
RECORDED_MODEL = click.option(
    "--model",
    type=NAME,
    help="Its face model: a name, or an .h5 file.  [default: the recorded name]",
)


class Count(click.ParamType):  # type: ignore[type-arg]
    """A number of things: 1000, 1k, 2.5M, 1G."""

    name = "count"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """The number, or a usage error."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)([kmg]?)", str(value).replace("_", ""), re.I)
        number = float(match[1]) * UNITS[match[2].lower()] if match else 0.5
        if number != int(number):
            self.fail(f"{value!r} is not a whole number like 1000, 20k or 1M", param, ctx)
        if not 1 <= number <= MAX_COUNT:
            self.fail(f"{value!r} is not between 1 and 10G", param, ctx)
        return int(number)


class LayerNames(click.ParamType):  # type: ignore[type-arg]
    """Layers, separated by commas."""

    name = "layers"

    def convert(self, value: Any, param: Any, ctx: Any) -> frozenset[Layer]:
        """Their names; UsageError names one that does not exist."""
        return parse_layers(value) if isinstance(value, str) else check_layers(value)


def spec_option(name: str, kind: Any = None, text: str | None = None) -> Callable[..., Any]:
    """The option of a DatasetSpec's field, with the field's default."""
    default = DEFAULTS[name]
    has_default = default not in (None, (), "")
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, name, type=kind, default=default, show_default=has_default, help=text)


IMAGE_OPTIONS = (
    spec_option("model", NAME, "Face model: a name, or an .h5 file.  [default: the recipe's]"),
    spec_option("size", int, "Pixels a side.  [default: the recipe's]"),
    spec_option(
        "layers",
        LayerNames(),
        f"Separated by commas: {', '.join(LAYERS)}; or all, which is all that every recipe has: "
        "shading, specular and radiance are of recipes of photographs.  [default: none]",
    ),
    spec_option("device", str, DEVICES),
    WORKERS,
)
SHARD_OPTIONS = (
    spec_option("out", NAME, "A folder, or a URL such as s3://bucket/faces."),
    spec_option(
        "seed", click.IntRange(0, 2**63 - 1), "Sample i depends on recipe, seed and i alone."
    ),
    *IMAGE_OPTIONS,
    spec_option("format", str, f"{', '.join(FORMATS)}.  [default: the recipe's]"),
    spec_option("quality", int, "Of jpg and webp, 1 to 100.  [default: the recipe's]"),
    spec_option("shard_size", Count(), "Samples per shard.  [default: by --count]"),
    spec_option("shards", str, "Make only this part of the shards: A:B, or k/N.  [default: all]"),
    spec_option("engine", click.Choice(["local", "ray"]), "Where shards are made."),
    spec_option("address", str, "The Ray cluster.  [default: a new one on this machine]"),
    spec_option("backgrounds", FILE, "A folder of images to put behind the heads."),
)


def with_options(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that adds options in this order."""

    def decorate(command: Callable[..., Any]) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
