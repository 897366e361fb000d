"""[light]: where illumination comes from: its own coefficients, or environments and lamps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from facegen.errors import RecipeError, located
from facegen.recipe.distributions import Constant, Distribution
from facegen.recipe.tables import Table, get, known, named, one_of

LightKind = Literal["coefficients", "environments"]
SHARES = ("mix", "lamp", "balance")
DISTRIBUTIONS = {"lamp_strength": 1.0, "brightness": 0.0, "tint": 0.0}


@dataclass(frozen=True)
class LightPrior:
    """How faces are lit.

    coefficients: as [illumination] states; environments: by one of the package's, turned about the
    vertical, and of the samples a share `mix` by two of them, a share `lamp` by a lamp as well.
    balance: the share of the light's cast that cameras take off (their white balance).
    settings, of DISTRIBUTIONS: lamp_strength: irradiance over pi, against the environment's mean
    radiance; brightness: stops of all light, tint: stops of red and blue against green.
    """

    kind: LightKind = "coefficients"
    mix: float = 0.0
    lamp: float = 0.0
    balance: float = 0.0
    settings: Mapping[str, Distribution] = field(default_factory=dict)

    def of(self, name: str) -> Distribution:
        """The distribution of one of DISTRIBUTIONS; where none is stated, a constant."""
        return self.settings.get(name, Constant(DISTRIBUTIONS[name]))


def read_light(table: Table) -> LightPrior:
    """The light that a recipe's table states; RecipeError names the key that is wrong."""
    with located("[light]"):
        known(table, {"kind", *SHARES, *DISTRIBUTIONS})
        stated = get({"kind": "coefficients", **table}, "kind", str)
        kind = one_of(stated, get_args(LightKind), "kind")
        others = table.keys() - {"kind"}
        if kind == "coefficients" and others:
            raise RecipeError(f"{min(others)} is of environments", 'state kind = "environments"')
        drawn = {name: named(table, name) for name in DISTRIBUTIONS if name in table}
        shares = {name: _share(table, name) for name in SHARES}
        return LightPrior(kind, **shares, settings=drawn)


def _share(table: Table, name: str) -> float:
    share = get({name: 0.0, **table}, name, float)
    if not 0 <= share <= 1:
        raise RecipeError(f"{name} = {share:g} is not a share from 0 to 1")
    return share
