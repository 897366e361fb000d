"""Samples -> what their people wear, as meshes that a renderer draws beside the face."""

import numpy as np
from jaxtyping import Int16, Int64

from facegen.files import Array
from facegen.models.attire import Library
from facegen.models.morphable_model import MorphableModel
from facegen.models.wardrobe import fit_wardrobe
from facegen.rendering.contract import Meshes, empty_meshes
from facegen.rendering.cpu.assembly import Wearing, assemble
from facegen.sampling.attire import HAIR, HAT
from facegen.sampling.samples import Samples


class Dresser:
    """A library of attire fitted to one model, and how people are dressed from it."""

    def __init__(self, library: Library, model: MorphableModel) -> None:
        self._wardrobe = fit_wardrobe(library, model)
        self._mean = self._wardrobe.anchors.mean
        sizes = self._wardrobe.pieces
        self._vertices = np.append(np.diff(sizes.vertex_start), 0)
        self._triangles = np.append(np.diff(sizes.triangle_start), 0)

    def dress(self, samples: Samples) -> Meshes | None:
        """What they wear; None where the recipe has no attire."""
        attire = samples.attire
        if attire is None:
            return None
        displaced = self._wardrobe.anchors.evaluate(samples.parameters.geometry) - self._mean
        wearing = Wearing(
            attire.pieces,
            attire.variations,
            attire.colours,
            attire.hand,
            attire.body,
            (attire.pieces[:, [HAT, HAIR]].min(axis=1) >= 0).astype(np.int16),
            displaced,
            self._wardrobe.neck,
        )
        meshes = self._allocated(attire.pieces)
        assemble(wearing, self._wardrobe.pieces, meshes)
        return meshes

    def _allocated(self, pieces: Int16[Array, "N S"]) -> Meshes:
        """Memory for the meshes of people who wear these pieces."""
        vertices, triangles = (
            _starts(sizes[pieces]) for sizes in (self._vertices, self._triangles)
        )
        return empty_meshes(vertices, triangles)


def _starts(sizes: Int64[Array, "N S"]) -> Int64[Array, "N+1"]:
    return np.concatenate([[0], np.cumsum(sizes.sum(axis=1))]).astype(np.int64)
