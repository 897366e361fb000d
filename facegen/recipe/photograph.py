"""[image] of encoding "srgb": how the photographs are taken that renderings become."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facegen.errors import RecipeError, located
from facegen.recipe.distributions import Constant, Distribution
from facegen.recipe.tables import Table, distribution, get

# What is drawn for each photograph, what leaves it as it is, and the range that makes sense.
SETTINGS: Mapping[str, tuple[float, float, float]] = {
    "exposure": (0.0, -8.0, 8.0),
    "white_balance": (0.0, -3.0, 3.0),
    "shoulder": (1.0, 0.1, 1.0),
    "contrast": (1.0, 0.1, 4.0),
    "saturation": (1.0, 0.0, 4.0),
    "vignette": (0.0, 0.0, 0.95),
    "focus_blur": (0.0, 0.0, 0.1),
    "motion_blur": (0.0, 0.0, 0.2),
    "shot_noise": (0.0, 0.0, 0.1),
    "read_noise": (0.0, 0.0, 0.3),
    "sharpening": (0.0, 0.0, 4.0),
    "downscale": (1.0, 1.0, 16.0),
    "quality": (95.0, 1.0, 100.0),
    "pixel_blur": (0.0, 0.0, 2.0),
}
GREY = "grey"
KEYS = {*SETTINGS, GREY} - {"quality"}
ENDS = np.array([2.0**-54, 1 - 2.0**-53])


@dataclass(frozen=True)
class PhotographPrior:
    """The distribution of each setting that a recipe states, and the share of grey pictures.

    As in imaging's Photography; motion_blur is the streak's length, white_balance is drawn for red
    and for blue, quality is that of a lossy file.
    """

    settings: Mapping[str, Distribution]
    grey: float = 0.0

    def of(self, name: str) -> Distribution:
        """A setting's distribution; where none is stated, it changes nothing."""
        return self.settings.get(name, Constant(SETTINGS[name][0]))


def read_photograph(table: Table) -> PhotographPrior:
    """What a recipe's [image] states of its photographs; RecipeError names the wrong key."""
    stated = {name: table[name] for name in SETTINGS if isinstance(table.get(name), dict)}
    grey = get({GREY: 0.0, **table}, GREY, float)
    if table.get("encoding", "display") != "srgb":
        for name in (*stated, *KEYS & table.keys()):
            hint = 'state encoding = "srgb"'
            raise RecipeError(f"{name} is of photographs, but the encoding is display", hint)
    for name in KEYS - {GREY, *stated} & table.keys():
        raise RecipeError(f"{name} = {table[name]!r} is not a table of a distribution")
    if not 0 <= grey <= 1:
        raise RecipeError(f"grey = {grey:g} is not a share from 0 to 1")
    return PhotographPrior({name: _setting(name, one) for name, one in stated.items()}, grey)


def _setting(name: str, table: Table) -> Distribution:
    with located(name):
        drawn, (_, low, high) = distribution(table), SETTINGS[name]
        ends = drawn.ppf(ENDS)
        if ends.min() < low or ends.max() > high:
            # A normal has no ends: its draws are held within the range.
            middle = drawn.ppf(np.array([0.02, 0.98]))
            if middle.min() < low or middle.max() > high:
                raise RecipeError(f"falls outside {low:g} to {high:g}")
        return drawn
