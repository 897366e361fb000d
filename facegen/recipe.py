"""A recipe: TOML -> frozen dataclasses, units converted once, unknown keys refused, a digest."""

import difflib
import hashlib
import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from facegen import assets
from facegen.distributions import Constant, Distribution, Mixture, Normal, Uniform
from facegen.errors import RecipeError, located
from facegen.parameters import ANGLES, CHANNELS, Group

Table = dict[str, Any]
T = TypeVar("T")

MAX_BYTES = 1_000_000
SIZES = range(16, 2049)
FORMATS = ("jpg", "png", "webp")
DEFAULT = "inversefacenet"

_FIELDS = {"constant": ("value",), "uniform": ("low", "high"), "normal": ("mean", "sd")}
_COMPONENT_NAMES = {"rotation": (ANGLES,), "illumination": (range(9), CHANNELS)}
_UNITS = {"rotation": ("_degrees", math.pi / 180)}
PRIOR, PERTURBATION = "prior", "perturbation"
_TOP = {"kind", "model", "description", "extends", "camera", "crop", "background", "image"}
_GROUPS = ("rotation", "shape", "expression", "reflectance", "illumination")


@dataclass(frozen=True)
class GroupPrior:
    """The prior of one group of theta: a distribution, and those of the components that differ."""

    default: Distribution | None
    overrides: Mapping[tuple[int, ...], Distribution]
    coefficients: int | None

    def components(self, group: Group) -> list[Distribution]:
        """One distribution per component of the group, in the order of theta."""
        return [self._of(index, group.name) for index in _indices(group.shape)]

    def _of(self, index: tuple[int, ...], name: str) -> Distribution:
        for depth in range(len(index), 0, -1):
            if index[:depth] in self.overrides:
                return self.overrides[index[:depth]]
        if self.default is None:
            where = ".".join(map(str, index))
            raise RecipeError(f"[{name}] states no distribution for component {where}")
        return self.default


@dataclass(frozen=True)
class CameraPrior:
    """Where the camera stands (mm from the model's origin), and how its picture is cropped."""

    distance: Distribution
    scale: Distribution
    shift: Distribution


@dataclass(frozen=True)
class ImageFormat:
    """What a picture is: side in pixels, file format, quality 1-100 of a lossy one."""

    size: int
    format: str
    quality: int


@dataclass(frozen=True)
class Recipe:
    """Everything a data set's content follows from, except model, seed and count."""

    name: str
    text: str
    kind: str
    model: str
    priors: Mapping[str, GroupPrior]
    camera: CameraPrior
    background: tuple[Distribution, Distribution, Distribution]
    image: ImageFormat

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the recipe states; comments and order do not count."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def table(self) -> Table:
        """The recipe as the table it was read from, whole, as data sets record it."""
        return json.loads(self.text)

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
    _known(table, _TOP | set(_GROUPS))
    return Recipe(
        name=name,
        text=json.dumps(
            table, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
        ),
        kind=_kind(_get(table, "kind", str)),
        model=_get(table, "model", str),
        priors={group: _group_prior(group, _get(table, group, dict)) for group in _GROUPS},
        camera=_camera(_get(table, "camera", dict), _get(table, "crop", dict)),
        background=_background(_get(table, "background", dict)),
        image=_image(_get(table, "image", dict)),
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
    if not isinstance(base, str):
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


def _known(table: Table, allowed: set[str]) -> None:
    for key in table.keys() - allowed:
        close = difflib.get_close_matches(key, allowed, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(allowed))}"
        raise RecipeError(f"unknown key {key!r}", meant)


def _get(table: Table, key: str, kind: type[T]) -> T:
    if key not in table:
        raise RecipeError(f"the key {key!r} is missing")
    value = table[key]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else math.inf
    if not isinstance(value, kind) or isinstance(value, bool):
        words = {
            dict: "a table",
            list: "a list",
            str: "a text",
            int: "a whole number",
            float: "a number",
        }
        raise RecipeError(f"{key} = {value!r} is not {words[kind]}")
    return value


def _distribution(table: Table, unit: str = "", factor: float = 1.0) -> Distribution:
    if not isinstance(table, dict):
        raise RecipeError(f"{table!r} is not a table")
    kind = _get(table, "distribution", str)
    if kind == "mixture":
        return _mixture(table, unit, factor)
    if kind not in _FIELDS:
        raise RecipeError(
            f"unknown distribution {kind!r}", f"known: {', '.join((*_FIELDS, 'mixture'))}"
        )
    keys = [name + unit for name in _FIELDS[kind]]
    _known(table, {"distribution", *keys})
    values = [_get(table, key, float) * factor for key in keys]
    return {"constant": Constant, "uniform": Uniform, "normal": Normal}[kind](*values)


def _mixture(table: Table, unit: str, factor: float) -> Mixture:
    _known(table, {"distribution", "components"})
    weights, components = [], []
    for i, entry in enumerate(_get(table, "components", list)):
        with located(f"components[{i}]"):
            if not isinstance(entry, dict):
                raise RecipeError("is not a table")
            weights.append(_get(entry, "weight", float))
            rest = {key: value for key, value in entry.items() if key != "weight"}
            components.append(_distribution(rest, unit, factor))
    return Mixture(tuple(weights), tuple(components))


def _group_prior(group: str, table: Table) -> GroupPrior:
    with located(f"[{group}]"):
        return _read_group(group, table)


def _read_group(group: str, table: Table) -> GroupPrior:
    variable = group not in _COMPONENT_NAMES
    unit, factor = _UNITS.get(group, ("", 1.0))
    components = dict(_component_tables(group, table))
    own = {k: v for k, v in table.items() if k not in {path[0] for path, _ in components.values()}}
    if "distribution" not in own and not variable:
        _known(own, {"distribution", *map(str, _COMPONENT_NAMES[group][0])})
    count = own.pop("coefficients", None) if variable else None
    if variable and not (count is None or (type(count) is int and 0 <= count <= 10_000)):
        raise RecipeError(f"coefficients = {count!r} is not a whole number from 0 to 10000")
    overrides = {}
    for index, (path, entry) in components.items():
        with located(".".join(path)):
            if count is not None and index[0] >= count:
                raise RecipeError(f"there is no such component among the {count} that vary")
            overrides[index] = _distribution(entry, unit, factor)
    return GroupPrior(_distribution(own, unit, factor) if own else None, overrides, count)


def _component_tables(
    group: str, table: Table
) -> Iterator[tuple[tuple[int, ...], tuple[tuple[str, ...], Table]]]:
    """Every component's own table as (index, (its path of keys, the table))."""
    axes = _COMPONENT_NAMES.get(group, (None,))
    for key, value in table.items():
        index = _component_index(key, axes[0])
        if index is None or not isinstance(value, dict):
            continue
        if len(axes) == 1 or "distribution" in value:
            yield (index,), ((key,), value)
            continue
        _known(value, set(map(str, axes[1] or ())))
        for inner, entry in value.items():
            yield (index, (axes[1] or ()).index(inner)), ((key, inner), entry)


def _component_index(key: str, names: Any) -> int | None:
    if names is None:
        return int(key) if key.isascii() and key.isdigit() and len(key) < 6 else None
    known = list(map(str, names))
    return known.index(key) if key in known else None


def _camera(camera: Table, crop: Table) -> CameraPrior:
    with located("[camera]"):
        _known(camera, {"distance"})
        with located("distance"):
            distance = _distribution(_get(camera, "distance", dict), "_mm")
    with located("[crop]"):
        _known(crop, {"scale", "shift"})
        scale, shift = (_named(crop, key) for key in ("scale", "shift"))
    return CameraPrior(distance, scale, shift)


def _named(table: Table, key: str) -> Distribution:
    with located(key):
        return _distribution(_get(table, key, dict))


def _background(table: Table) -> tuple[Distribution, Distribution, Distribution]:
    with located("[background]"):
        _known(table, set(CHANNELS))
        red, green, blue = (_named(table, channel) for channel in CHANNELS)
    return red, green, blue


def _image(table: Table) -> ImageFormat:
    with located("[image]"):
        _known(table, {"size", "format", "quality"})
        image = ImageFormat(
            _get(table, "size", int), _get(table, "format", str), _get(table, "quality", int)
        )
        if image.size not in SIZES:
            raise RecipeError(f"size {image.size} is not between {SIZES[0]} and {SIZES[-1]} pixels")
        if image.format not in FORMATS:
            raise RecipeError(f"unknown format {image.format!r}", f"known: {', '.join(FORMATS)}")
        if not 1 <= image.quality <= 100:
            raise RecipeError(f"quality {image.quality} is not between 1 and 100")
    return image


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    if not shape:
        yield ()
        return
    for first in range(shape[0]):
        for rest in _indices(shape[1:]):
            yield (first, *rest)
