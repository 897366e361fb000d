"""Shards to train on: what their data sets say of layout, recipe, model and images."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from facegen.dataset.encoding import Layer
from facegen.dataset.index import INDEX, Index, ModelEntry, layers_of, read_index, recipe_of
from facegen.dataset.scan import complete_tars
from facegen.dataset.stores.folder import FolderStore
from facegen.errors import DatasetError, FacegenError, RecipeError, located
from facegen.models import catalogue
from facegen.models.cache import open_model
from facegen.models.morphable_model import MorphableModel
from facegen.recipe.image import ImageFormat
from facegen.recipe.recipe import Recipe
from facegen.scene.parameters import Layout, layout_from_json

VALIDATION = "validation-"
_HINT_SHARDS = "give the folder of a data set, or shards that lie in one"


@dataclass(frozen=True)
class DataSet:
    """What the index of one data set says that training needs."""

    layout: Layout
    model: ModelEntry
    image: ImageFormat
    recipe: Recipe
    layers: frozenset[Layer]


@dataclass(frozen=True)
class TrainingSet:
    """Shards of one or more data sets that agree in layout, model and image.

    shards: those to train on; validation: those named validation-*, if any; data_sets: by folder.
    """

    shards: tuple[Path, ...]
    validation: tuple[Path, ...]
    data_sets: Mapping[Path, DataSet]

    @property
    def first(self) -> DataSet:
        """The data set that the others agree with."""
        return next(iter(self.data_sets.values()))

    @property
    def layout(self) -> Layout:
        """The layout of theta in all of them."""
        return self.first.layout

    @property
    def model(self) -> ModelEntry:
        """The face model that theta speaks of in all of them."""
        return self.first.model

    @property
    def image(self) -> ImageFormat:
        """Size and format of the images of all of them."""
        return self.first.image

    @property
    def recipe(self) -> Recipe:
        """The first data set's recipe."""
        return self.first.recipe

    @property
    def layers(self) -> frozenset[Layer]:
        """The layers that all of them have."""
        return frozenset.intersection(*(data.layers for data in self.data_sets.values()))

    @property
    def recipes(self) -> dict[Path, Recipe]:
        """Each data set's recipe, by its folder."""
        return {folder: data.recipe for folder, data in self.data_sets.items()}

    @property
    def everything(self) -> tuple[Path, ...]:
        """All shards, those of validation too."""
        return (*self.shards, *self.validation)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the shards' names and sizes, which tells one training set from another."""
        files = [[path.name, path.stat().st_size] for path in self.everything]
        return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def open_training_set(paths: Sequence[Path]) -> TrainingSet:
    """The shards in these folders, and these shards; DatasetError says what does not agree."""
    folders = [_folder_of(path) for path in paths]
    indices = {folder: read_index(FolderStore(folder)) for folder in dict.fromkeys(folders)}
    complete = {folder: _complete(folder, index) for folder, index in indices.items()}
    pairs = zip(paths, folders, strict=True)
    shards = [shard for path, folder in pairs for shard in _shards(path, complete[folder])]
    if len(set(shards)) != len(shards) or not shards:
        raise DatasetError("a shard is named twice" if shards else "no shards", _HINT_SHARDS)
    data_sets = {folder: _data_set(folder, index) for folder, index in indices.items()}
    first, *others = data_sets
    for folder in others:
        _check_alike(folder, data_sets[first], data_sets[folder])
    validation = tuple(shard for shard in shards if shard.name.startswith(VALIDATION))
    return TrainingSet(
        tuple(shard for shard in shards if shard not in set(validation)), validation, data_sets
    )


def open_model_of(recipe: Recipe, recorded: ModelEntry, name: str | None) -> MorphableModel:
    """The face model of this name or file (or its own name), which must be the recorded one."""
    path = catalogue.find(name or recorded.name)
    model = open_model(path, recipe.coefficients)
    if model.sha256 != recorded.sha256:
        raise DatasetError(
            f"{path.name} is another file than the model {recorded.name} that theta speaks of",
            "give --model the file it was made with",
        )
    return model


def model_at_hand(recipe: Recipe, recorded: ModelEntry) -> MorphableModel | None:
    """The recorded face model, if it is here."""
    try:
        return open_model_of(recipe, recorded, None)
    except FacegenError:
        return None


def _folder_of(path: Path) -> Path:
    """The folder of a data set that is named itself, or by one of its shards."""
    with located(path):
        if path.is_dir():
            return path.resolve()
        if path.suffix != ".tar" or not path.is_file():
            raise DatasetError("is no shard", _HINT_SHARDS)
        return path.resolve().parent


def _complete(folder: Path, index: Index) -> list[Path]:
    return [folder / name for name in complete_tars(index, FolderStore(folder))]


def _shards(path: Path, complete: list[Path]) -> list[Path]:
    """The shards that a path means, of the complete ones in its folder."""
    with located(path):
        if not complete:
            raise DatasetError("holds no shards", _HINT_SHARDS)
        if path.is_dir():
            return complete
        if path.resolve() not in complete:
            raise DatasetError("has no report, so it is not complete", "render again")
        return [path.resolve()]


def _data_set(folder: Path, index: Index) -> DataSet:
    with located(folder / INDEX):
        try:
            recipe = recipe_of(index)
            layout, layers = layout_from_json(index.layout), layers_of(index)
        except RecipeError as error:
            raise DatasetError(str(error), _HINT_SHARDS) from None
    return DataSet(layout, index.model, recipe.image, recipe, layers)


def _check_alike(folder: Path, first: DataSet, other: DataSet) -> None:
    for name in ("layout", "model"):
        if getattr(first, name) != getattr(other, name):
            raise DatasetError(f"{folder}: has another {name} than the first data set")
    if (first.image.size, first.image.format) != (other.image.size, other.image.format):
        raise DatasetError(f"{folder}: has other images than the first data set")
