"""A recipe as frozen dataclasses: units converted once, unknown keys refused."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from facegen.errors import RecipeError, located
from facegen.recipe.attire import AttirePrior, read_attire
from facegen.recipe.background import BackgroundPrior, read_background
from facegen.recipe.distributions import Distribution
from facegen.recipe.face_units import FaceUnitsPrior, read_face_units
from facegen.recipe.grid import Grid, read_grid
from facegen.recipe.groups import GroupPrior, group_prior
from facegen.recipe.image import ImageFormat, read_image
from facegen.recipe.light import LightPrior, read_light
from facegen.recipe.merging import merged
from facegen.recipe.tables import Table, distribution, get, known, named, one_of

Kind = Literal["prior", "perturbation"]

Marks = Literal["landmarks", "landmarks2d"]
_HINT_LIGHT = "leave one of them out, here and in the recipe that this one extends"
MAX_SAMPLES = 10**10
TOP_KEYS = {
    *("kind", "model", "description", "extends", "splits"),
    *("zero_mean", "identities", "samples_per_identity"),
    *(
        "camera",
        "crop",
        "background",
        "image",
        "attributes",
        "grid",
        "attire",
        "light",
        "face_units",
    ),
}
GROUPS = ("rotation", "shape", "expression", "reflectance", "illumination")
COEFFICIENT_GROUPS = ("shape", "expression", "reflectance")
IDENTITY_GROUPS = ("shape", "reflectance")  # What an identity keeps from image to image.


@dataclass(frozen=True)
class CameraPrior:
    """Where the camera stands (mm from the model's origin), and how its image is cropped.

    around: the landmarks whose box is cropped to; distortion: the lens's k1, where it has some.
    """

    distance: Distribution
    scale: Distribution
    shift: Distribution
    around: Marks = "landmarks"
    distortion: Distribution | None = None


@dataclass(frozen=True)
class Identities:
    """So many identities, each with so many samples of the same shape and reflectance."""

    count: int
    samples: int

    @property
    def total(self) -> int:
        """Samples of all of them."""
        return self.count * self.samples


@dataclass(frozen=True)
class Coefficients:
    """How many leading components of each group of the model vary; None is all."""

    shape: int | None
    expression: int | None
    reflectance: int | None


@dataclass(frozen=True)
class Recipe:
    """Everything a data set's content follows from, except model, seed and count."""

    name: str
    text: str
    kind: Kind
    model: str
    priors: Mapping[str, GroupPrior]
    camera: CameraPrior
    background: BackgroundPrior
    image: ImageFormat
    identities: Identities | None
    zero_mean: tuple[str, ...]
    splits: tuple[tuple[str, float], ...]
    attributes: Mapping[str, Distribution]
    attire: AttirePrior
    light: LightPrior
    face_units: FaceUnitsPrior | None
    grid: Grid | None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what the recipe states; comments and order do not count."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def table(self) -> Table:
        """The recipe as the table it was read from, whole, as data sets record it."""
        table: Table = json.loads(self.text)
        return table

    @property
    def record(self) -> Table:
        """The table beside the recipe's name, as data sets and checkpoints keep it."""
        return {"name": self.name, **self.table}

    @property
    def coefficients(self) -> Coefficients:
        """How many of the model's components vary."""
        return Coefficients(*(self.priors[group].coefficients for group in COEFFICIENT_GROUPS))

    @property
    def symmetric(self) -> float | None:
        """The share of paired expressions whose sides are alike, where it is stated."""
        return self.priors["expression"].symmetric

    def with_table(self, table: Table) -> "Recipe":
        """A recipe of the same name with this table instead."""
        return parse(self.name, table)

    def with_changes(self, changes: Table) -> "Recipe":
        """The recipe with some keys replaced, checked like a file."""
        return parse(self.name, merged(self.table, changes))


def parse(name: str, table: Table) -> Recipe:
    """A recipe from its table; RecipeError names the key that is wrong."""
    try:
        return _parse(name, table)
    except (ValueError, OverflowError, RecursionError) as error:
        raise RecipeError(f"holds a number or table too large for a recipe: {error}") from None


def from_record(record: Table) -> Recipe:
    """The recipe that a data set or a checkpoint keeps."""
    table = {key: value for key, value in record.items() if key != "name"}
    return parse(str(record.get("name", "")), table)


def _parse(name: str, table: Table) -> Recipe:
    known(table, TOP_KEYS | set(GROUPS))
    get({"description": "", **table}, "description", str)
    _check_symmetric({"kind": "", "expression": {}, **table})
    image = read_image(get(table, "image", dict))
    light = read_light(get({"light": {}, **table}, "light", dict))
    return Recipe(
        name=name,
        text=json.dumps(
            table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
        ),
        kind=one_of(get(table, "kind", str), get_args(Kind), "kind"),
        model=get(table, "model", str),
        priors={
            group: group_prior(group, get(table, group, dict)) for group in _groups(table, light)
        },
        camera=_camera(get(table, "camera", dict), get(table, "crop", dict)),
        background=read_background(
            get(table, "background", dict), image.encoding, light.kind == "environments"
        ),
        image=image,
        identities=_identities(table),
        zero_mean=_zero_mean(table),
        splits=_splits(table.get("splits", {"train": 1.0})),
        attributes=_attributes(table),
        light=light,
        face_units=_face_units(table),
        attire=read_attire(get({"attire": {}, **table}, "attire", dict)),
        grid=read_grid(get(table, "grid", dict)) if "grid" in table else None,
    )


def _face_units(table: Table) -> FaceUnitsPrior | None:
    if "face_units" not in table:
        return None
    if table["kind"] != "prior":
        raise RecipeError("[face_units] are drawn in a prior, not around estimates")
    return read_face_units(get(table, "face_units", dict))


def _groups(table: Table, light: LightPrior) -> tuple[str, ...]:
    """The groups whose prior a recipe states: not light's, where that is of environments."""
    if light.kind == "coefficients":
        return GROUPS
    if "illumination" in table:
        raise RecipeError(
            "[illumination] is not used where [light] is of environments", _HINT_LIGHT
        )
    if table["kind"] != "prior":
        raise RecipeError("[light] environments are drawn in a prior, not around estimates")
    return GROUPS[:-1]


def _camera(camera: Table, crop: Table) -> CameraPrior:
    with located("[camera]"):
        known(camera, {"distance", "distortion"})
        distortion = named(camera, "distortion") if "distortion" in camera else None
        with located("distance"):
            distance = distribution(get(camera, "distance", dict), "_mm")
    with located("[crop]"):
        known(crop, {"scale", "shift", "around"})
        around = one_of(crop.get("around", "landmarks"), get_args(Marks), "around")
        scale, shift = (named(crop, key) for key in ("scale", "shift"))
    return CameraPrior(distance, scale, shift, around, distortion)


def _identities(table: Table) -> Identities | None:
    keys = ["identities", "samples_per_identity"]
    if "grid" in table:
        return _grid_identities(table)
    if not any(key in table for key in keys):
        return None
    count, samples = (get(table, key, int) for key in keys)
    return _checked_identities(table, Identities(count, samples))


def _grid_identities(table: Table) -> Identities:
    """As many identities as the recipe says, each at every point of the grid."""
    if "samples_per_identity" in table:
        raise RecipeError(
            "samples_per_identity: the grid says how many there are",
            "leave it out, here and in the recipe that this one extends",
        )
    points = read_grid(get(table, "grid", dict)).points
    return _checked_identities(table, Identities(get(table, "identities", int), points))


def _checked_identities(table: Table, identities: Identities) -> Identities:
    if identities.count < 1 or identities.samples < 1:
        raise RecipeError("identities and samples_per_identity must be at least 1")
    if identities.total > MAX_SAMPLES:
        raise RecipeError(f"identities and their samples are more than {MAX_SAMPLES:,}")
    if table["kind"] != "prior":
        raise RecipeError("identities are drawn from a prior, not around estimates")
    return identities


def _check_symmetric(table: Table) -> None:
    if table["kind"] != "prior" and "symmetric" in get(table, "expression", dict):
        raise RecipeError("[expression] symmetric speaks of draws, not of estimates")


def _attributes(table: Table) -> dict[str, Distribution]:
    with located("[attributes]"):
        stated = get({"attributes": {}, **table}, "attributes", dict)
        if stated and table["kind"] != "prior":
            raise RecipeError("attributes are drawn in a prior, not around estimates")
        return {name: named(stated, name) for name in sorted(stated)}


def _zero_mean(table: Table) -> tuple[str, ...]:
    groups = get({"zero_mean": [], **table}, "zero_mean", list)
    groups_in_order = tuple(group for group in IDENTITY_GROUPS if group in groups)
    if len(groups_in_order) != len(groups):
        raise RecipeError(
            "zero_mean: not a list of groups, each once", f"known: {', '.join(IDENTITY_GROUPS)}"
        )
    if groups and table["kind"] != "perturbation":
        raise RecipeError("zero_mean speaks of estimates, and a prior has none", "leave it out")
    return groups_in_order


def _splits(table: Any) -> tuple[tuple[str, float], ...]:
    with located("[splits]"):
        if not isinstance(table, dict) or not table:
            raise RecipeError("is not a table of shares")
        for name in sorted(table):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
                raise RecipeError(f"{name!r} is not a name of small letters, digits and _")
        shares = tuple((name, get(table, name, float)) for name in sorted(table))
        if any(not share > 0 for _, share in shares):
            raise RecipeError("every share must be positive")
        total = math.fsum(share for _, share in shares)
        if abs(total - 1) > 1e-6:
            raise RecipeError(f"the shares sum to {total:g}, not to 1")
    return shares
