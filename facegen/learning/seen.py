"""theta -> the landmarks that people would mark, as they are seen."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from facegen.files import Array
from facegen.models import catalogue
from facegen.models.cache import open_model
from facegen.recipe.recipe import Recipe
from facegen.sampling.contour import VisibleContour
from facegen.sampling.prior import source_of
from facegen.sampling.samples import Sampler, Samples
from facegen.scene.cameras import Cameras, to_camera_space

AT_ONCE = 500


class SeenLandmarks:
    """Where a recipe's faces have their landmarks2d, for any theta of its layout."""

    def __init__(self, recipe: Recipe) -> None:
        """Load the recipe's model."""
        distance = {"distribution": "constant", "value_mm": recipe.camera.distance.mean}
        self.recipe = recipe.with_changes({"camera": {"distance": distance}})
        self.model = open_model(catalogue.find(recipe.model), recipe.coefficients)
        layout = self.model.layout
        self.source = source_of(self.recipe, layout, self.model.attributes, self.model.face_units)
        self.sampler = Sampler(
            self.recipe, layout, self.model.landmark_geometry, self.source, seed=0
        )
        self._contour = VisibleContour(self.model)

    def landmarks(self, theta: Float32[Array, "N m"]) -> Float32[Array, "N 68 2"]:
        """u right, v down, seen from the recipe's mean distance; size and place are any."""
        parts = np.array_split(theta, max(1, len(theta) // AT_ONCE))
        samples = (self.sampler.complete(np.zeros(len(part), np.int64), part) for part in parts)
        return np.concatenate([self._marks(one) for one in samples])

    def seen(self, theta: Float32[Array, "N m"], cameras: Cameras) -> Float32[Array, "N 68 2"]:
        """In the pixels of these cameras."""
        samples = self.sampler.complete(np.zeros(len(theta), np.int64), theta)
        geometry = samples.parameters.geometry
        points = self.model.landmark_geometry.evaluate(geometry)
        points = to_camera_space(points, cameras.model_to_camera)
        return self._marks(replace(samples, cameras=cameras, landmarks=points))

    def _marks(self, samples: Samples) -> Float32[Array, "N 68 2"]:
        marks = samples.cameras.project(
            self._contour.landmarks(
                samples.parameters, samples.cameras.model_to_camera, samples.landmarks
            )
        )
        return np.asarray(marks, np.float32)
