"""A recipe: TOML -> frozen dataclasses, units converted once, unknown keys refused, a digest."""

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from facegen import assets
from facegen.distributions import Distribution
from facegen.errors import RecipeError, located
from facegen.parameters import CHANNELS
from facegen.recipe_groups import GroupPrior, group_prior
from facegen.recipe_tables import Table, distribution, get, known, named

MAX_BYTES = 1_000_000
MAX_SAMPLES = 10**10
SIZES = range(16, 2049)
FORMATS = ("jpg", "png", "webp")
BACKGROUNDS = ("off", "colour", "noise")
DEFAULT = "inversefacenet"

PRIOR, PERTURBATION = "prior", "perturbation"
_TOP = {
    "centred",
    "identities",
    "samples_per_identity",
    "splits",
    "kind",
    "model",
    "description",
    "extends",
    "camera",
    "crop",
    "background",
    "image",
}
_GROUPS = ("rotation", "shape", "expression", "reflectance", "illumination")
KEPT = ("shape", "reflectance")  # What a person keeps from picture to picture.


@dataclass(frozen=True)
class CameraPrior:
    """Where the camera stands (mm from the model's origin), and how its picture is cropped."""

    distance: Distribution
    scale: Distribution
    shift: Distribution


@dataclass(frozen=True)
class Background:
    """What is behind the head: nothing (off), a colour, or smooth noise of such colours."""

    kind: str
    colours: tuple[Distribution, Distribution, Distribution]


@dataclass(frozen=True)
class ImageFormat:
    """What a picture is: side in pixels, file format, quality 1-100 of a lossy one."""

    size: int
    format: str
    quality: int


@dataclass(frozen=True)
class Identities:
    """So many people, each seen so often: shape and reflectance stay, the rest is drawn anew."""

    count: int
    samples: int

    @property
    def total(self) -> int:
        """Samples of all of them."""
        return self.count * self.samples


@dataclass(frozen=True)
class Recipe:
    """Everything a data set's content follows from, except model, seed and count."""

    name: str
    text: str
    kind: str
    model: str
    priors: Mapping[str, GroupPrior]
    camera: CameraPrior
    background: Background
    image: ImageFormat
    identities: Identities | None
    centred: tuple[str, ...]
    splits: tuple[tuple[str, float], ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the recipe states; comments and order do not count."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def table(self) -> Table:
        """The recipe as the table it was read from, whole, as data sets record it."""
        return json.loads(self.text)

    @property
    def record(self) -> Table:
        """The table beside the recipe's name, as data sets and checkpoints keep it."""
        return {"name": self.name, **self.table}

    def with_changes(self, changes: Table) -> "Recipe":
        """The recipe with some keys replaced, checked like a file."""
        return parse(self.name, _merge(self.table, changes))


def names() -> list[str]:
    """The recipes that come along."""
    return sorted(path.stem for path in assets.folder("recipes").glob("*.toml"))


def source(name_or_path: str) -> str:
    """The TOML text of a recipe that comes along, or of a file."""
    path = Path(name_or_path)
    if name_or_path in names():
        path = assets.folder("recipes") / f"{name_or_path}.toml"
    if path.suffix != ".toml":
        raise RecipeError(f"no recipe of that name; there are {', '.join(names())}", _MEND_NAME)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"larger than {MAX_BYTES:,} bytes, so not a recipe")
        return path.read_text("utf-8")
    except OSError as error:
        raise RecipeError(error.strerror or str(error), _MEND_NAME) from None
    except UnicodeDecodeError:
        raise RecipeError("not a text file in UTF-8") from None


def load(name_or_path: str) -> Recipe:
    """Read a recipe by name, or from a .toml file."""
    with located(f"recipe {name_or_path}"):
        return parse(Path(name_or_path).stem, _resolve(name_or_path, ()))


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
    known(table, _TOP | set(_GROUPS))
    get({"description": "", **table}, "description", str)
    return Recipe(
        name=name,
        text=json.dumps(
            table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
        ),
        kind=_kind(get(table, "kind", str)),
        model=get(table, "model", str),
        priors={group: group_prior(group, get(table, group, dict)) for group in _GROUPS},
        camera=_camera(get(table, "camera", dict), get(table, "crop", dict)),
        background=_background(get(table, "background", dict)),
        image=_image(get(table, "image", dict)),
        identities=_identities(table),
        centred=_centred(table),
        splits=_splits(table.get("splits", {"train": 1.0})),
    )


_MEND_NAME = "give a name that `facegen recipes` lists, or the path of a .toml file"


def _resolve(name_or_path: str, above: tuple[str, ...]) -> Table:
    if name_or_path in above:
        raise RecipeError(f"extends itself: {' -> '.join((*above, name_or_path))}")
    try:
        table = tomllib.loads(source(name_or_path))
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"not valid TOML: {error}") from None
    base = table.pop("extends", None)
    if base is None:
        return table
    if not isinstance(base, str) or "\0" in base:
        raise RecipeError("extends: must be the name of a recipe")
    beside = (Path(name_or_path).parent / base).resolve()
    with located(f"extends {base}"):
        found = str(beside) if base.endswith(".toml") else base
        return _merge(_resolve(found, (*above, name_or_path)), table)


def _merge(base: Table, changes: Table) -> Table:
    """Key by key, but a table that names its own distribution replaces the old one whole."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        nested = isinstance(old, dict) and isinstance(value, dict) and "distribution" not in value
        merged[key] = _merge(merged[key], value) if nested else value
    return merged


def _kind(kind: str) -> str:
    if kind not in (PRIOR, PERTURBATION):
        raise RecipeError(f"unknown kind {kind!r}", f"known: {PRIOR}, {PERTURBATION}")
    return kind


def _camera(camera: Table, crop: Table) -> CameraPrior:
    with located("[camera]"):
        known(camera, {"distance"})
        with located("distance"):
            distance = distribution(get(camera, "distance", dict), "_mm")
    with located("[crop]"):
        known(crop, {"scale", "shift"})
        scale, shift = (named(crop, key) for key in ("scale", "shift"))
    return CameraPrior(distance, scale, shift)


def _background(table: Table) -> Background:
    with located("[background]"):
        known(table, {"kind", *CHANNELS})
        kind = get(table, "kind", str)
        if kind not in BACKGROUNDS:
            raise RecipeError(f"unknown kind {kind!r}", f"known: {', '.join(BACKGROUNDS)}")
        red, green, blue = (named(table, channel) for channel in CHANNELS)
    return Background(kind, (red, green, blue))


def _image(table: Table) -> ImageFormat:
    with located("[image]"):
        known(table, {"size", "format", "quality"})
        image = ImageFormat(
            get(table, "size", int), get(table, "format", str), get(table, "quality", int)
        )
        if image.size not in SIZES:
            raise RecipeError(f"size {image.size} is not between {SIZES[0]} and {SIZES[-1]} pixels")
        if image.format not in FORMATS:
            raise RecipeError(f"unknown format {image.format!r}", f"known: {', '.join(FORMATS)}")
        if not 1 <= image.quality <= 100:
            raise RecipeError(f"quality {image.quality} is not between 1 and 100")
    return image


def _identities(table: Table) -> Identities | None:
    keys = ("identities", "samples_per_identity")
    if not any(key in table for key in keys):
        return None
    count, samples = (get(table, key, int) for key in keys)
    if count < 1 or samples < 1:
        raise RecipeError("identities and samples_per_identity must be at least 1")
    if count * samples > MAX_SAMPLES:
        raise RecipeError(f"identities and their samples are more than {MAX_SAMPLES:,}")
    if table["kind"] != PRIOR:
        raise RecipeError("identities are drawn from a prior, not around estimates")
    return Identities(count, samples)


def _centred(table: Table) -> tuple[str, ...]:
    groups = get({"centred": [], **table}, "centred", list)
    chosen = tuple(group for group in KEPT if group in groups)
    if len(chosen) != len(groups):
        raise RecipeError("centred: not a list of groups, each once", f"known: {', '.join(KEPT)}")
    if groups and table["kind"] != PERTURBATION:
        raise RecipeError("centred speaks of estimates, and a prior has none", "leave it out")
    return chosen


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
