"""Expressions as a few named units of the face, in the coefficients of a model."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from facegen.errors import RecipeError, located, meant
from facegen.files import Array
from facegen.models.attributes import ordered_product
from facegen.models.morphable_model import FaceUnits
from facegen.recipe.face_units import FaceUnitsPrior
from facegen.sampling.randomness import Stream, uniforms
from facegen.sampling.symmetry import pairs_of


@dataclass(frozen=True, eq=False)
class Expressions:
    """What expressions are drawn from: a recipe's prior, and a model's units."""

    prior: FaceUnitsPrior
    units: FaceUnits

    def draw(self, seed: int, indices: Int64[Array, "N"]) -> Float64[Array, "N e"]:
        """The coefficients of these samples' units: pure in (seed, index)."""
        count = len(self.units.names)
        draws = uniforms(seed, Stream.FACE_UNITS, indices, 3 * count + 1)
        chance, strength, alike = np.split(draws[:, 1:], 3, axis=1)
        often = [self.prior.often.get(name, self.prior.active) for name in self.units.names]
        weights = np.where(chance < often, self.prior.weight.ppf(strength).clip(0, 1), 0.0)
        for left, right in pairs_of(self.units.names):
            same = alike[:, right] < self.prior.symmetric
            weights[:, right] = np.where(same, weights[:, left], weights[:, right])
        weights[draws[:, 0] < self.prior.neutral] = 0
        return np.asarray(self.units.neutral + ordered_product(weights, self.units.coefficients))


def expressions_of(prior: FaceUnitsPrior | None, units: FaceUnits | None) -> Expressions | None:
    """What a recipe's expressions are drawn from, where it states units; refused without any."""
    if prior is None:
        return None
    with located("[face_units]"):
        if units is None:
            raise RecipeError("the model has no named units of the face", "use --model generic")
        for name in prior.often:
            if name not in units.names:
                raise RecipeError(f"the model has no unit {name!r}", meant(name, units.names))
    return Expressions(prior, units)
