"""Where a recipe's grid lies in theta, cameras and crops, and at which point of it a sample is."""

import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float64, Int64

from facegen.errors import RecipeError, located
from facegen.files import Array
from facegen.recipe.grid import Axis
from facegen.recipe.groups import number_of
from facegen.recipe.plan import grid_points_of
from facegen.recipe.recipe import Recipe
from facegen.scene.parameters import ANGLES, CHANNELS, Layout


def grid_steps(recipe: Recipe, indices: Int64[Array, "N"]) -> Mapping[str, Int64[Array, "N"]]:
    """The step of every axis at these samples, by the axis's name; nothing without a grid."""
    return recipe.grid.steps_at(grid_points_of(recipe, indices)) if recipe.grid else {}


def grid_values(
    recipe: Recipe, indices: Int64[Array, "N"], path: tuple[str, str]
) -> Float64[Array, "N"] | None:
    """The values that the grid states for one parameter at these samples, if it does."""
    for axis in recipe.grid.axes if recipe.grid else ():
        if axis.path == path:
            return np.asarray(axis.values[grid_steps(recipe, indices)[axis.name]])
    return None


def grid_columns(recipe: Recipe, layout: Layout) -> list[tuple[Axis, list[int]]]:
    """The columns of theta that each axis states; RecipeError where there is no such."""
    axes = recipe.grid.axes if recipe.grid else ()
    with located("[grid]"):
        stated = [(axis, _columns(axis, layout)) for axis in axes if axis.path[0] in layout.slices]
        columns = [column for _, own in stated for column in own]
        if len(set(columns)) < len(columns):
            raise RecipeError("two of its axes are the same parameter", "leave one out")
        return stated


def _columns(axis: Axis, layout: Layout) -> list[int]:
    group = layout.named(axis.path[0])
    start, name = layout.slices[group.name].start, axis.path[1]
    if group.name == "rotation":
        return [start + ANGLES.index(name)]
    if group.name == "illumination":
        channels = axis.path[2:] or CHANNELS
        return [start + int(name) * len(CHANNELS) + CHANNELS.index(c) for c in channels]
    number = int(name) if re.fullmatch(r"[0-9]{1,5}", name) else number_of(group, name)
    if number >= group.width:
        raise RecipeError(f"{axis.name}: there are {group.width} components, from 0")
    return [start + number]
