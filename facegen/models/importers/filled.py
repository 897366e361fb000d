"""A foreign model with nothing missing, as our file holds it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facegen.models.extras import Extras
from facegen.models.importers.foreign import ForeignModel, modes
from facegen.models.model_file import ModelContent, Modes

UNIT_LENGTH = 0.01


@dataclass(frozen=True, eq=False)
class Filled:
    """A model with nothing missing."""

    model: ForeignModel
    expression: Modes
    reflectance: Modes
    landmarks: NDArray[np.int32]
    segmentation: NDArray[np.uint8]

    def content(self, source: str) -> ModelContent:
        """What its file will hold; `source` says where it came from."""
        model = self.model
        texts = {
            "name": model.name,
            "licence": model.licence,
            "source": source,
            "unit": model.unit,
            "notes": "\n".join(model.notes),
        }
        return ModelContent(
            model.shape,
            self.expression,
            self.reflectance,
            model.triangles,
            self.landmarks,
            self.segmentation,
            model.expression_unit,
            texts,
            Extras(self._names),
        )

    @property
    def _names(self) -> tuple[str, ...]:
        """The expressions' names, unless some of them were dropped or say a name twice."""
        names = self.model.expression_names
        different = len(set(names)) == len(names) == self.expression.count
        return names if different else ()


def filled(model: ForeignModel) -> Filled:
    """A model that has landmarks, parts and skin; without expressions, a group of no width."""
    expression = model.expression
    if expression is None:
        expression = modes("expression", np.zeros(3 * model.vertices), None, None)
        model = model.noting("no expression in the file: a group of no width")
    reflectance, landmarks, parts = model.reflectance, model.landmarks, model.segmentation
    assert reflectance is not None
    assert landmarks is not None
    assert parts is not None
    model = model.noting(shape=unit_columns(model.shape))
    return Filled(model, unit_columns(expression), unit_columns(reflectance), landmarks, parts)


def unit_columns(part: Modes) -> Modes:
    """The same modes with columns of length one; a mode that moves nothing is dropped."""
    lengths = np.sqrt(np.einsum("vk,vk->k", part.basis, part.basis, dtype=np.float64))
    moving = lengths * part.sd > 0
    if moving.all() and (np.abs(lengths - 1) < UNIT_LENGTH).all():
        return part
    basis = part.basis if moving.all() else part.basis[:, moving]
    lengths = lengths[moving].astype(np.float32)
    return Modes(part.mean, basis / lengths, part.sd[moving] * lengths)
