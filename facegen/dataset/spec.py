"""The spec of a data set: everything it follows from, as asked for and as resolved."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from facegen.dataset.encoding import Layer
from facegen.errors import ModelError, located
from facegen.files import sha256_of
from facegen.models.attire import library_path
from facegen.models.attributes import Attributes
from facegen.models.cache import open_model
from facegen.models.environments import environments_path
from facegen.models.morphable_model import FaceUnits, MorphableModel
from facegen.recipe.image import Format
from facegen.recipe.loading import DEFAULT
from facegen.recipe.plan import Shard, shards_of
from facegen.recipe.recipe import Recipe
from facegen.rendering.image_folder import ImageFolder
from facegen.sampling import estimates as estimates_file
from facegen.sampling.estimates import EstimatesError
from facegen.sampling.perturbation import Around, perturbation_of
from facegen.sampling.prior import Source, source_of
from facegen.sampling.samples import Sampler, sampler_of
from facegen.scene.parameters import Layout

FORMAT = 2

EngineName = Literal["local", "ray"]


@dataclass(frozen=True)
class DatasetSpec:
    """A data set as asked for; None is a default that depends on the rest.

    recipe: a name that `facegen recipes` lists, a .toml file, or a Recipe. count: samples; else as
    many as the recipe's identities have, or per_image for each estimate. out: a folder or a URL.
    model: a name or an .h5 file, else the recipe's. size, format, quality: of the image, else the
    recipe's. device: auto, cpu, egl, egl:N, or several, separated by commas. shards: only this part
    of them, A:B or k/N. backgrounds: a folder of images to put behind the heads. estimates: an .h5
    file to resample around, weighted by its confidence or not; adaptive: as far as its /sd says.
    address: of a Ray cluster.
    """

    recipe: str | Path | Recipe = DEFAULT
    count: int | None = None
    out: str | Path = "data/faces"
    model: str | Path | None = None
    seed: int = 0
    size: int | None = None
    format: Format | None = None
    quality: int | None = None
    layers: Collection[str] = ()
    shard_size: int | None = None
    workers: int | None = None
    device: str = "auto"
    shards: str | None = None
    engine: EngineName = "local"
    address: str = ""
    backgrounds: Path | None = None
    estimates: Path | None = None
    per_image: int | None = None
    weighted: bool = False
    adaptive: bool = False


@dataclass(frozen=True)
class ModelFile:
    """A morphable model by name, file and hash."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class EstimatesFile:
    """Estimates to resample around: the file, its hash, and how they are used."""

    path: Path
    sha256: str
    how: Around


@dataclass(frozen=True)
class ResolvedSpec:
    """A spec that was checked and can be made: names read, files hashed, defaults filled in.

    start, stop: this part's shards among all; notes: what the user should know; attributes: what
    the model knows of them.
    """

    recipe: Recipe
    model: ModelFile
    layout: Layout
    seed: int
    count: int
    shard_size: int
    layers: frozenset[Layer]
    backgrounds: ImageFolder | None
    estimates: EstimatesFile | None
    out: str
    start: int
    stop: int
    devices: tuple[str, ...]
    renderer: str
    workers: int
    notes: tuple[str, ...] = ()
    attributes: Attributes | None = None
    face_units: FaceUnits | None = None

    @cached_property
    def all_shards(self) -> list[Shard]:
        """The shards of the whole data set."""
        return shards_of(self.recipe, self.count, self.shard_size)

    @property
    def shards(self) -> list[Shard]:
        """The shards of this part of it."""
        return self.all_shards[self.start : self.stop]

    @property
    def is_whole(self) -> bool:
        """Whether this part is the whole data set."""
        return self.start == 0 and self.stop >= len(self.all_shards)

    @cached_property
    def has_source(self) -> bool:
        """Whether theta can be drawn again: the estimates, if there are any, are at hand."""
        return self.estimates is None or self.estimates.path.is_file()

    @property
    def can_render(self) -> bool:
        """Whether the samples can be made again: estimates and backgrounds are at hand, if any."""
        return self.has_source and (self.backgrounds is None or bool(self.backgrounds.files))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what decides a sample's content and place; not count, device or workers."""
        file = self.estimates
        adaptive = ("adaptive",) if file and file.how.adaptive else ()
        estimates = file and (file.sha256, file.how.weighted, *adaptive)
        settings = {
            "format": FORMAT,
            "recipe": self.recipe.fingerprint,
            "model": self.model.sha256,
            "seed": self.seed,
            "shard_size": self.shard_size,
            "layers": sorted(self.layers),
            "renderer": self.renderer,
            "estimates": estimates,
            "backgrounds": self.backgrounds and self.backgrounds.fingerprint,
            **self._assets,
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @property
    def _assets(self) -> dict[str, str]:
        """The hashes of the package's files that the recipe draws from, if any."""
        recipe = self.recipe
        used = {"attire": library_path()} if recipe.attire.any else {}
        natural = recipe.light.kind == "environments" or recipe.background.share("environment") > 0
        used |= {"environments": environments_path()} if natural else {}
        return {name: sha256_of(path) for name, path in used.items()}

    def load_model(self) -> MorphableModel:
        """The model with the recipe's numbers of coefficients."""
        model = open_model(self.model.path, self.recipe.coefficients)
        if model.sha256 != self.model.sha256:
            raise ModelError(f"{self.model.path}: changed while it was used", "start again")
        return model

    def source(self) -> Source:
        """Where theta comes from: the recipe's prior, or a perturbation of the estimates."""
        if self.estimates is None:
            return source_of(self.recipe, self.layout, self.attributes, self.face_units)
        path = self.estimates.path
        with located(path):
            if sha256_of(path) != self.estimates.sha256:
                raise EstimatesError("changed while it was used", "start again")
            estimates = estimates_file.read(path)
            return perturbation_of(self.recipe, self.layout, estimates, self.estimates.how)

    def sampler(self, model: MorphableModel) -> Sampler:
        """How its samples are drawn with its model; FacegenError where estimates are missing."""
        return self._sampler(model, self.source())

    def completer(self, model: MorphableModel) -> Sampler:
        """How samples whose theta is known are completed, for estimates that are not at hand."""
        return self._sampler(
            model, source_of(self.recipe, self.layout, self.attributes, self.face_units)
        )

    def _sampler(self, model: MorphableModel, source: Source) -> Sampler:
        return sampler_of(self.recipe, model, source, self.seed)
