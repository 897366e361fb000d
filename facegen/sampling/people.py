"""The attributes of people that a recipe states: drawn, and how they change coefficients."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32, Int64

from facegen.errors import RecipeError, located
from facegen.files import Array
from facegen.models.attributes import Attributes, Conditional
from facegen.recipe.distributions import Constant, Distribution, Normal
from facegen.recipe.recipe import IDENTITY_GROUPS, Recipe
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.parameters import Layout

# What attributes may change: people of all kinds, or the average one.
CHANGEABLE = (Normal(0.0, 1.0), Constant(0.0))
BEYOND = 0.25  # Share of an attribute's range by which a recipe may go beyond it.


def draw_attributes(
    recipe: Recipe,
    seed: int,
    whose: Int64[Array, "N"],
    steps: Mapping[str, Int64[Array, "N"]],
) -> dict[str, Float32[Array, "N"]]:
    """The recipe's attributes of these identities, by name; steps: those of its grid's axes."""
    stated = recipe.attributes
    draws = uniforms(seed, Stream.ATTRIBUTES, whose, max(1, len(stated)))
    drawn = {
        name: distribution.ppf(draws[:, k]).astype(np.float32)
        for k, (name, distribution) in enumerate(stated.items())
    }
    for axis in recipe.grid.axes if recipe.grid else ():
        if axis.path[0] == "attributes":
            drawn[axis.path[1]] = axis.values[steps[axis.name]].astype(np.float32)
    return drawn


def conditional_of(
    recipe: Recipe,
    layout: Layout,
    stated: Mapping[int, Distribution],
    attributes: Attributes | None,
) -> Conditional | None:
    """How the attributes that the recipe states change coefficients, if it states any.

    stated: the distribution of each column of theta.
    """
    axes = recipe.grid.axes if recipe.grid else ()
    gridded = [axis.path[1] for axis in axes if axis.path[0] == "attributes"]
    names = sorted({*recipe.attributes, *gridded})
    if not names:
        return None
    with located("[attributes]"):
        known = attributes.names if attributes else ()
        for name in names:
            if name not in known:
                hint = f"known: {', '.join(known)}" if known else "use --model generic"
                raise RecipeError(f"the model does not know the attribute {name!r}", hint)
        _check_ranges(recipe, attributes)
        for group in IDENTITY_GROUPS:
            columns = layout.slices[group]
            if any(stated[c] not in CHANGEABLE for c in range(columns.start, columns.stop)):
                raise RecipeError(
                    f"they change [{group}], which must be normal with mean 0 and sd 1, or zero",
                    f"state that in [{group}], or leave [attributes] out",
                )
    return attributes.given(names) if attributes else None


def _check_ranges(recipe: Recipe, attributes: Attributes | None) -> None:
    """Refuse attributes far beyond those of the model's people, where its map says nothing."""
    ends = {name: d.ppf(np.array([0.001, 0.999])) for name, d in recipe.attributes.items()}
    axes = recipe.grid.axes if recipe.grid else ()
    ends |= {a.path[1]: np.array([a.low, a.high]) for a in axes if a.path[0] == "attributes"}
    for known in attributes.described if attributes else ():
        slack = BEYOND * (known.high - known.low)
        low, high = ends.get(known.name, (known.low, known.high))
        if low < known.low - slack or high > known.high + slack:
            raise RecipeError(
                f"{known.name} from {low:g} to {high:g} is far beyond the model's people",
                f"{known.low:g} to {known.high:g}: {known.unit}",
            )
