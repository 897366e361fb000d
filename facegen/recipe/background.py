"""[background]: what stands behind the head."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from facegen.errors import RecipeError, located
from facegen.recipe.distributions import Distribution
from facegen.recipe.image import Encoding
from facegen.recipe.tables import Table, get, known, named, one_of
from facegen.scene.parameters import CHANNELS

BackgroundKind = Literal["off", "colour", "noise", "gradient", "interior", "environment", "mixed"]
# What stands behind the heads of photographs.
SCENERY = ("noise", "gradient", "interior", "environment")


@dataclass(frozen=True)
class BackgroundPrior:
    """What is behind the head.

    Nothing (off), a colour, smooth noise of such colours; or, in photographs, a gradient, a room,
    the environment that lights the head, or a mixture of these and noise, by shares.
    """

    kind: BackgroundKind
    colours: tuple[Distribution, Distribution, Distribution]
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_scenery(self) -> bool:
        """Whether it is one of photographs."""
        return self.kind not in ("off", "colour", "noise")

    def share(self, kind: str) -> float:
        """The share of samples with this kind of scenery."""
        return self.shares.get(kind, 0.0) if self.kind == "mixed" else float(self.kind == kind)


def read_background(table: Table, encoding: Encoding, natural: bool) -> BackgroundPrior:
    """The background that a recipe's table states; natural: whether environments light the head."""
    with located("[background]"):
        kind = one_of(get(table, "kind", str), get_args(BackgroundKind), "kind")
        known(table, {"kind", *CHANNELS, *({"shares"} if kind == "mixed" else ())})
        red, green, blue = (named(table, channel) for channel in CHANNELS)
        shares = _shares(get(table, "shares", dict)) if kind == "mixed" else {}
        prior = BackgroundPrior(kind, (red, green, blue), shares)
        if prior.is_scenery and encoding == "display":
            raise RecipeError(f"{kind} is of photographs", 'state [image] encoding = "srgb"')
        if prior.share("environment") and not natural:
            hint = 'state [light] kind = "environments"'
            raise RecipeError("there is no environment that lights the head", hint)
    return prior


def _shares(table: Table) -> dict[str, float]:
    with located("shares"):
        known(table, set(SCENERY))
        shares = {name: get(table, name, float) for name in table}
        if any(not share >= 0 for share in shares.values()):
            raise RecipeError("a share is below 0")
        if abs(math.fsum(shares.values()) - 1) > 1e-6:
            raise RecipeError(f"they sum to {math.fsum(shares.values()):g}, not to 1")
    return shares
