"""[grid]: equidistant values of some parameters, every combination of them for each identity."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import pi, prod

import numpy as np
from jaxtyping import Float64, Int64

from facegen.errors import RecipeError, located
from facegen.files import Array
from facegen.recipe.tables import Table, get, known
from facegen.scene.parameters import ANGLES, CHANNELS

COEFFICIENTS = ("shape", "expression", "reflectance")
OTHERS = {"camera": ("distance",), "crop": ("scale",)}
UNITS = {"rotation": ("_degrees", pi / 180), "camera": ("_mm", 1.0)}
MAX_STEPS = 100_000


@dataclass(frozen=True)
class Axis:
    """Equidistant values of one parameter, in theta's unit (camera: mm), named as in a recipe."""

    path: tuple[str, ...]
    low: float
    high: float
    steps: int

    @property
    def name(self) -> str:
        """'rotation.yaw', 'expression.jawOpen', 'attributes.age', ..."""
        return ".".join(self.path)

    @property
    def values(self) -> Float64[Array, "steps"]:
        """Its values, both ends among them."""
        return np.linspace(self.low, self.high, self.steps)


@dataclass(frozen=True)
class Grid:
    """The axes of a grid in the order of their names; the last one changes fastest."""

    axes: tuple[Axis, ...]

    @property
    def points(self) -> int:
        """How many combinations there are."""
        return prod(axis.steps for axis in self.axes)

    def steps_at(self, points: Int64[Array, "N"]) -> Mapping[str, Int64[Array, "N"]]:
        """The step of every axis, by its name, at the grid's points of these numbers."""
        steps = np.unravel_index(points, [axis.steps for axis in self.axes])
        return {a.name: step.astype(np.int64) for a, step in zip(self.axes, steps, strict=True)}


def read_grid(table: Table) -> Grid:
    """The grid that a recipe's table states; RecipeError names the key that is wrong."""
    with located("[grid]"):
        axes = tuple(sorted(_axes(table), key=lambda axis: axis.path))
        grid = Grid(axes)
        if not axes:
            raise RecipeError("states no parameter", "add [grid.rotation.yaw], say")
        if grid.points > MAX_STEPS:
            raise RecipeError(f"has {grid.points:,} points, more than {MAX_STEPS:,}")
        return grid


def _axes(table: Table) -> Iterator[Axis]:
    known(table, {"rotation", "illumination", "attributes", *COEFFICIENTS, *OTHERS})
    for group in table:
        entries = get(table, group, dict)
        if group in OTHERS:
            known(entries, set(OTHERS[group]))
        for name, entry in entries.items():
            path = (group, name)
            with located(".".join(path)):
                yield from _axis(path, entry)


def _axis(path: tuple[str, ...], entry: Table) -> Iterator[Axis]:
    """The axis of a parameter, or those of the channels of a coefficient of light."""
    if not isinstance(entry, dict):
        raise RecipeError(f"{entry!r} is not a table", "state low, high and steps")
    _check_name(path)
    if path[0] == "illumination" and "steps" not in entry:
        known(entry, set(CHANNELS))
        for channel in entry:
            with located(channel):
                yield _read((*path, channel), get(entry, channel, dict))
        return
    yield _read(path, entry)


def _check_name(path: tuple[str, ...]) -> None:
    group, name = path
    if group == "rotation" and name not in ANGLES:
        raise RecipeError(f"no angle {name!r}", f"known: {', '.join(ANGLES)}")
    numbered = group in ("shape", "reflectance", "illumination")
    if numbered and not (name.isascii() and name.isdigit() and len(name) < 6):
        raise RecipeError(f"{name!r} is not the number of a component")
    if group == "illumination" and int(name) > 8:
        raise RecipeError("light has nine coefficients, 0 to 8")


def _read(path: tuple[str, ...], entry: Table) -> Axis:
    suffix, factor = UNITS.get(path[0], ("", 1.0))
    keys = (f"low{suffix}", f"high{suffix}")
    known(entry, {*keys, "steps"})
    low, high = (get(entry, key, float) * factor for key in keys)
    steps = get(entry, "steps", int)
    if not 2 <= steps <= MAX_STEPS:
        raise RecipeError(f"steps = {steps} is not between 2 and {MAX_STEPS:,}")
    if not (abs(low) < 1e30 and abs(high) < 1e30 and low < high):
        raise RecipeError(f"low {low:g} is not below high {high:g}")
    return Axis(path, low, high, steps)
