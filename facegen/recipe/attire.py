"""[attire]: how many of the people wear what the morphable model has not."""

from dataclasses import astuple, dataclass, fields

from facegen.errors import RecipeError, located
from facegen.recipe.tables import Table, get, known


@dataclass(frozen=True)
class AttirePrior:
    """Shares of samples, 0 to 1: hair beyond the painted cap, a beard (of men), clothes, glasses,
    a hat or scarf, a mask, a hand or held thing before the face.
    """

    hair: float = 0.0
    beard: float = 0.0
    glasses: float = 0.0
    hat: float = 0.0
    mask: float = 0.0
    clothes: float = 0.0
    hand: float = 0.0

    @property
    def any(self) -> bool:
        """Whether anything is ever worn."""
        return any(share > 0 for share in astuple(self))


SLOTS = tuple(field.name for field in fields(AttirePrior))


def read_attire(table: Table) -> AttirePrior:
    """The shares that a recipe's table states; RecipeError names the key that is wrong."""
    with located("[attire]"):
        known(table, set(SLOTS))
        shares = {name: get(table, name, float) for name in table}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise RecipeError(f"{name} = {share:g} is not a share from 0 to 1")
        return AttirePrior(**shares)
