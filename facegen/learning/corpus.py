"""What shards say of themselves: their data sets' layout, recipe, model and pictures."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from facegen import recipe as recipes
from facegen.errors import DatasetError, RecipeError, located
from facegen.model_formats import find as find_model
from facegen.morphable_model import MorphableModel
from facegen.parameters import Float32, Layout, layout_of
from facegen.recipe import ImageFormat, Recipe
from facegen.sampling import prior_of
from facegen.studio import model_of

VALIDATION = "validation-"
MAX_INDEX_BYTES = 1 << 30
_MEND_SHARDS = "give the folder of a data set, or shards that lie in one"


@dataclass(frozen=True)
class ModelName:
    """The face model that theta speaks of."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Corpus:
    """Shards of one or more data sets that agree in layout, model and picture.

    shards: those of training; validation: those named validation-*, if any. recorded: the recipe of
    each data set's folder, {"name": ..., **table}.
    """

    shards: tuple[Path, ...]
    validation: tuple[Path, ...]
    layout: Layout
    model: ModelName
    image: ImageFormat
    recorded: Mapping[Path, dict[str, Any]]

    @cached_property
    def recipes(self) -> dict[Path, Recipe]:
        """Each data set's recipe, by its folder."""
        return {folder: _recipe(folder, table) for folder, table in self.recorded.items()}

    @property
    def recipe(self) -> Recipe:
        """The first data set's recipe."""
        return next(iter(self.recipes.values()))

    @property
    def everything(self) -> tuple[Path, ...]:
        """All shards, those of validation too."""
        return (*self.shards, *self.validation)

    @property
    def digest(self) -> str:
        """SHA-256 of the shards' names and sizes, which tells one corpus from another."""
        facts = [[path.name, path.stat().st_size] for path in self.everything]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def open_corpus(paths: Sequence[Path]) -> Corpus:
    """The corpus of these folders and shards; DatasetError says what does not fit together."""
    found = [shard for path in paths for shard in _shards(path)]
    if len(set(found)) != len(found) or not found:
        raise DatasetError("a shard is named twice" if found else "no shards", _MEND_SHARDS)
    folders = list(dict.fromkeys(shard.parent for shard in found))
    first, *others = facts = [_facts(folder) for folder in folders]
    for folder, other in zip(folders[1:], others, strict=True):
        _check_alike(folder, first, other)
    recorded = {folder: recipe for folder, (*_, recipe) in zip(folders, facts, strict=True)}
    held_out = [shard for shard in found if shard.name.startswith(VALIDATION)]
    shards = [shard for shard in found if shard not in set(held_out)]
    return Corpus(tuple(shards), tuple(held_out), *first[:3], recorded)


def layout_from_json(pairs: Any) -> Layout:
    """The layout that a data set or a checkpoint records as [[group, width], ...]."""
    try:
        widths = {str(name): int(width) for name, width in pairs}
        layout = layout_of(*(widths[name] for name in ("shape", "expression", "reflectance")))
    except (TypeError, ValueError, KeyError):
        raise DatasetError("states no layout") from None
    if layout.to_json() != [list(pair) for pair in pairs] or min(widths.values()) < 0:
        raise DatasetError(f"states the layout {pairs}, which is none of facegen's")
    return layout


def open_model_of(recipe: Recipe, wanted: ModelName, name: str | None) -> MorphableModel:
    """The face model of this name or file (or its own name), which must be the one wanted."""
    path = find_model(name or wanted.name)
    model = model_of(recipe, path)
    if model.sha256 != wanted.sha256:
        raise DatasetError(
            f"{path.name} is another file than the model {wanted.name} that theta speaks of",
            "give --model the file it was made with",
        )
    return model


def moments(recipe: Recipe, layout: Layout) -> tuple[Float32, Float32]:
    """Mean and standard deviation (m,) of the recipe's prior, float32."""
    mean, sd = np.zeros((2, layout.width), np.float32)
    for distribution, columns in prior_of(recipe, layout).blocks:
        mean[columns], sd[columns] = distribution.mean, distribution.sd
    return mean, sd


def _recipe(folder: Path, record: dict[str, Any]) -> Recipe:
    with located(folder / "dataset.json"):
        return recipes.from_record(record)


def _shards(path: Path) -> list[Path]:
    with located(path):
        if path.is_dir():
            found = sorted(path.resolve().glob("*.tar"))
            if not found:
                raise DatasetError("holds no shards", _MEND_SHARDS)
            return found
        if path.suffix != ".tar" or not path.is_file():
            raise DatasetError("is no shard", _MEND_SHARDS)
        return [path.resolve()]


def _facts(folder: Path) -> tuple[Layout, ModelName, ImageFormat, dict[str, Any]]:
    path = folder / "dataset.json"
    with located(path):
        try:
            if path.stat().st_size > MAX_INDEX_BYTES:
                raise DatasetError(f"larger than {MAX_INDEX_BYTES:,} bytes")
            index = json.loads(path.read_bytes())
            recipe, model = index["recipe"], index["model"]
            image = ImageFormat(**recipe["image"])
            name = ModelName(str(model["name"]), str(model["sha256"]))
            return layout_from_json(index["layout"]), name, image, dict(recipe)
        except OSError as error:
            raise DatasetError(error.strerror or str(error), _MEND_SHARDS) from None
        except (ValueError, TypeError, KeyError, RecursionError, RecipeError) as error:
            raise DatasetError(f"not a data set's index: {error!r}", _MEND_SHARDS) from None


def _check_alike(folder: Path, first: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    for what, mine, theirs in zip(("layout", "model"), first, other, strict=False):
        if mine != theirs:
            raise DatasetError(f"{folder}: has another {what} than the first data set")
    if first[2].size != other[2].size or first[2].format != other[2].format:
        raise DatasetError(f"{folder}: has other pictures than the first data set")
