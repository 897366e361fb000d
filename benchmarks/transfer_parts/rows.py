"""The rows of the table: what the faces are rendered by, and what is trained on them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from facegen.errors import FacegenError, RecipeError
from facegen.learning.config import PRESETS, LandmarkHead
from facegen.recipe.loading import DEFAULT, load
from facegen.recipe.merging import merged
from facegen.recipe.recipe import Recipe
from facegen.recipe.tables import Table

# Steps that one core takes in a minute.
STEPS_PER_MINUTE: dict[LandmarkHead, int] = {"direct": 450, "heatmaps": 180}


@dataclass(frozen=True)
class Row:
    """A row by name.

    plain: keys of the recipe that are as those of the default recipe, or left out where that has
    none; changes: what else is changed in its table; size: pixels a side.
    """

    name: str
    recipe: str
    plain: tuple[str, ...] = ()
    changes: Table = field(default_factory=dict)
    augmented: bool = True
    landmarks: LandmarkHead = "direct"
    size: int = 64

    @property
    def key(self) -> str:
        """The name as files and --rows have it."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @cached_property
    def stated(self) -> Recipe:
        """Its recipe; RecipeError where there is none, or it has not what is to be left out."""
        recipe, default = load(self.recipe), load(DEFAULT).table
        table = recipe.table
        missing = [key for key in self.plain if key not in table and key not in default]
        if missing:
            raise RecipeError(f"recipe {self.recipe}: has no {', '.join(missing)} to leave out")
        kept = {key: value for key, value in table.items() if key not in self.plain}
        plain = {key: default[key] for key in self.plain if key in default}
        return recipe.with_table(merged({**kept, **plain}, self.changes))

    def check(self) -> None:
        """FacegenError where there is no such recipe."""
        _ = self.stated

    @property
    def augmentation(self) -> float:
        """How strongly its images are changed while training."""
        return PRESETS["modern"].augmentation if self.augmented else 0.0

    def steps(self, minutes: float) -> int:
        """Those that one core takes in so many minutes."""
        return max(1, round(minutes * STEPS_PER_MINUTE[self.landmarks]))


PLAIN = Row("inversefacenet", DEFAULT, augmented=False)
NATURAL = "natural"
BARE = {"attire": {"hair": 0.0, "beard": 0.0, "clothes": 0.0}}
UNCOVERED = {"attire": {"glasses": 0.0, "hat": 0.0, "mask": 0.0, "hand": 0.0}}
LINEAR = {"image": {"encoding": "srgb"}}
POSED = ("rotation", "expression", "camera", "crop")
ROWS = (
    PLAIN,
    Row("inversefacenet + augmentation", DEFAULT),
    Row("natural without hair and clothes", NATURAL, changes=BARE),
    Row("natural without occluders", NATURAL, changes=UNCOVERED),
    Row("natural without imaging", NATURAL, plain=("image",), changes=LINEAR),
    Row("natural without camera and crop", NATURAL, plain=POSED),
    Row("natural without light", NATURAL, plain=("light", "illumination", "background")),
    Row("natural, no augmentation", NATURAL, augmented=False),
    Row("natural + augmentation", NATURAL),
    Row("natural + augmentation, heatmaps", NATURAL, landmarks="heatmaps", size=96),
)


def chosen(names: str | None) -> list[Row]:
    """The rows of these keys, separated by commas; else all."""
    if names is None:
        return list(ROWS)
    known = {row.key: row for row in ROWS}
    keys = [key.strip() for key in names.split(",")]
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise FacegenError(f"--rows: no row {unknown[0]!r}", f"known: {', '.join(known)}")
    return [known[key] for key in keys]


def usable(rows: Sequence[Row], tell: Callable[[str], object]) -> list[Row]:
    """The rows that can be made here; why another cannot is told in one line."""
    good = []
    for row in rows:
        try:
            row.check()
            good.append(row)
        except FacegenError as error:
            tell(f"left out: {row.name}: {' '.join(str(error).split())}")
    return good
