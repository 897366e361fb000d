"""[face_units]: expressions as a few of a model's named units, as faces make them."""

from collections.abc import Mapping
from dataclasses import dataclass

from facegen.errors import RecipeError, located
from facegen.recipe.distributions import Distribution
from facegen.recipe.tables import Table, get, known, named


@dataclass(frozen=True)
class FaceUnitsPrior:
    """How faces move: units by name, to which [expression] adds its own draws.

    neutral: the share of faces in which no unit is active; active: of each unit, how often it is in
    the others, and of those in `often` how often that is; weight: of an active one, from 0 to 1;
    symmetric: the share of pairs whose right side does as the left one.
    """

    neutral: float
    active: float
    symmetric: float
    weight: Distribution
    often: Mapping[str, float]


def read_face_units(table: Table) -> FaceUnitsPrior:
    """The units that a recipe's table states; RecipeError names the key that is wrong."""
    with located("[face_units]"):
        known(table, {"neutral", "active", "symmetric", "weight", "often"})
        neutral, active, symmetric = (_share(table, k) for k in ("neutral", "active", "symmetric"))
        often = get({"often": {}, **table}, "often", dict)
        with located("often"):
            shares = {name: _share(often, name) for name in sorted(often)}
        return FaceUnitsPrior(neutral, active, symmetric, named(table, "weight"), shares)


def _share(table: Table, name: str) -> float:
    share = get(table, name, float)
    if not 0 <= share <= 1:
        raise RecipeError(f"{name} = {share:g} is not a share from 0 to 1")
    return share
