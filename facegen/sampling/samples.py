"""indices -> Samples: all that is drawn of a sample; generation and verification both draw here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int64

from facegen.errors import RecipeError
from facegen.files import Array
from facegen.models.attire import library_path, read_library
from facegen.models.morphable_model import LinearModel, MorphableModel
from facegen.recipe.image import Encoding, Surfaces
from facegen.recipe.plan import identities_of
from facegen.recipe.recipe import Recipe
from facegen.sampling.attire import Attire, Dealer
from facegen.sampling.contour import VisibleContour
from facegen.sampling.framing import (
    Background,
    check_camera,
    draw_background,
    draw_cameras,
    draw_distortion,
)
from facegen.sampling.grid import grid_steps
from facegen.sampling.lights import Lights, lights_of
from facegen.sampling.persona import Observer, observer_of
from facegen.sampling.photography import Photography, draw_photography
from facegen.sampling.prior import Parent, Source, source_of
from facegen.sampling.randomness import Stream, uniforms
from facegen.scene.cameras import (
    Cameras,
    crop_to_landmarks,
    distorted,
    model_to_camera,
    to_camera_space,
)
from facegen.scene.parameters import Layout, Parameters

_HINT = "give its estimates to DatasetSpec, or to `facegen bootstrap`"


@dataclass(frozen=True, eq=False)
class Samples:
    """N samples, ready to be rendered into images of size x size pixels.

    indices, identities (N,); theta (N, m) in this layout; landmarks (N, 68, 3) in camera space, mm;
    parents: the estimate that each sample perturbs, if it does; attributes (N,) by name and grid
    (N,), the step of each of its axes, where the recipe states them.
    """

    layout: Layout
    size: int
    encoding: Encoding
    surfaces: Surfaces
    indices: Int64[Array, "N"]
    theta: Float32[Array, "N m"]
    cameras: Cameras
    landmarks: Float32[Array, "N L 3"]
    identities: Int64[Array, "N"]
    parents: tuple[Parent | None, ...]
    background: Background
    photography: Photography | None = None
    attire: Attire | None = None
    attributes: Mapping[str, Float32[Array, "N"]] = field(default_factory=dict)
    grid: Mapping[str, Int64[Array, "N"]] = field(default_factory=dict)

    @cached_property
    def parameters(self) -> Parameters:
        """theta taken apart by group."""
        return self.layout.unpack(self.theta)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: slice | Sequence[int]) -> "Samples":
        parents = self.parents[rows] if isinstance(rows, slice) else [self.parents[r] for r in rows]
        return Samples(
            self.layout,
            self.size,
            self.encoding,
            self.surfaces,
            self.indices[rows],
            self.theta[rows],
            self.cameras[rows],
            self.landmarks[rows],
            self.identities[rows],
            tuple(parents),
            self.background[rows],
            self.photography[rows] if self.photography else None,
            self.attire[rows] if self.attire else None,
            {name: values[rows] for name, values in self.attributes.items()},
            {name: steps[rows] for name, steps in self.grid.items()},
        )


@dataclass(frozen=True, eq=False)
class Sampler:
    """How a recipe's samples are drawn: its source of theta, and the model's landmarks.

    lights: of scenery; contour: where the crop is around what people mark; observer and dealer: of
    attire.
    """

    recipe: Recipe
    layout: Layout
    landmarks: LinearModel
    source: Source
    seed: int
    lights: Lights | None = None
    contour: VisibleContour | None = None
    observer: Observer | None = None
    dealer: Dealer | None = None

    def draw(self, indices: Int64[Array, "N"]) -> Samples:
        """These samples: a pure function of (recipe, model, seed, index)."""
        return self.complete(indices, self.source.theta(self.seed, indices))

    def complete(self, indices: Int64[Array, "N"], theta: Float32[Array, "N m"]) -> Samples:
        """These samples if theta were the one given: all else that is drawn of them."""
        recipe, seed = self.recipe, self.seed
        parameters = self.layout.unpack(theta)
        distance, crop = draw_cameras(recipe, seed, indices)
        distortion = draw_distortion(recipe, seed, indices)
        transform = model_to_camera(parameters.rotation, distance)
        points = to_camera_space(self.landmarks.evaluate(parameters.geometry), transform)
        marks = self.contour.landmarks(parameters, transform, points) if self.contour else points
        seen = marks if distortion is None else distorted(marks, distortion)
        K = crop_to_landmarks(seen, crop, recipe.image.size)
        attributes = self.source.attributes(seed, indices)
        return Samples(
            layout=self.layout,
            size=recipe.image.size,
            encoding=recipe.image.encoding,
            surfaces=recipe.image.surfaces,
            indices=indices,
            theta=theta,
            cameras=Cameras(transform, K, distortion),
            landmarks=points,
            identities=identities_of(recipe, indices),
            parents=tuple(self.source.parents(seed, indices)),
            background=draw_background(recipe.background, seed, indices, self.lights),
            photography=self._photography(indices),
            attire=self._attire(indices, theta, attributes),
            attributes=attributes,
            grid=grid_steps(recipe, indices),
        )

    def _photography(self, indices: Int64[Array, "N"]) -> Photography | None:
        """How the photographs are taken, where the images are some."""
        image = self.recipe.image
        if image.encoding == "display":
            return None
        return draw_photography(image.photograph, self.seed, indices)

    def _attire(
        self,
        indices: Int64[Array, "N"],
        theta: Float32[Array, "N m"],
        attributes: Mapping[str, Float32[Array, "N"]],
    ) -> Attire | None:
        """What these people wear; hair and beard are an identity's own where there are some."""
        if self.observer is None or self.dealer is None:
            return None
        whose = identities_of(self.recipe, indices)
        draws = uniforms(self.seed, Stream.PERSONA, whose, 2)
        persona = self.observer.look(theta, attributes, draws)
        rotation = theta[:, self.layout.slices["rotation"]]
        return self.dealer.deal(self.seed, (indices, whose), persona, rotation)


def sampler_of(recipe: Recipe, model: MorphableModel, source: Source, seed: int) -> Sampler:
    """How samples of a recipe are drawn with a model, theta from this source."""
    lights = lights_of(recipe) if recipe.background.is_scenery else None
    sampler = Sampler(recipe, model.layout, model.landmark_geometry, source, seed, lights)
    if recipe.camera.around == "landmarks2d":
        sampler = replace(sampler, contour=VisibleContour(model))
    if not recipe.attire.any:
        return sampler
    dealer = Dealer(recipe.attire, read_library(library_path()))
    return replace(sampler, observer=observer_of(model), dealer=dealer)


def draw(recipe: Recipe, model: MorphableModel, seed: int, indices: Iterable[int]) -> Samples:
    """Samples of a recipe's prior: a pure function of (recipe, model, seed, index).

    Of the model count as many coefficients as the recipe asks for. RecipeError where it states a
    perturbation of estimates.
    """
    if recipe.kind != "prior":
        raise RecipeError("states a perturbation of estimates, not a prior", _HINT)
    wanted = np.fromiter(indices, np.int64)
    total = recipe.identities.total if recipe.identities else None
    if total is not None and wanted.size and wanted.max() >= total:
        raise RecipeError(f"has {total:,} samples, so none of index {wanted.max():,}")
    check_camera(recipe)
    counts = recipe.coefficients
    model = model.truncated(counts.shape, counts.expression, counts.reflectance)
    source = source_of(recipe, model.layout, model.attributes, model.face_units)
    return sampler_of(recipe, model, source, seed).draw(wanted)
