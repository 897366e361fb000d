"""Who a sample shows, as far as hair, clothes and hands must know: gender, age, skin."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from facegen.files import Array
from facegen.models.attributes import ordered_product
from facegen.models.morphable_model import SEGMENTS, MorphableModel
from facegen.scene.parameters import Layout

SKIN, NECK = SEGMENTS.index("skin"), SEGMENTS.index("neck")
QUANTUM = 2.0**-24
AGES = (15.0, 75.0)
GENDER, AGE = "gender", "age"


@dataclass(frozen=True, eq=False)
class Persona:
    """N people: man from 0 (a woman) to 1, age in years, and the mean reflectance of skin.

    skin: of the face, with its shades; tone: of the neck, as hands and shoulders have it.
    """

    man: Float64[Array, "N"]
    age: Float64[Array, "N"]
    skin: Float64[Array, "N 3"]
    tone: Float64[Array, "N 3"]


@dataclass(frozen=True, eq=False)
class Observer:
    """How people are read off theta: rows that a group's coefficients are multiplied with.

    colours: of the face's skin and of the neck's, one after the other. attributes: of gender and
    age, each a mean and a row for shape; empty where the model has none.
    """

    layout: Layout
    colours_mean: Float64[Array, "6"]
    colours_rows: Float64[Array, "r 6"]
    attributes: Mapping[str, tuple[float, Float64[Array, "s"]]]

    def look(
        self,
        theta: Float32[Array, "N m"],
        stated: Mapping[str, Float32[Array, "N"]],
        draws: Float64[Array, "N 2"],
    ) -> Persona:
        """The people of theta: by the attributes that are stated, else as seen, else drawn."""
        reflectance = theta[:, self.layout.slices["reflectance"]].astype(np.float64)
        colours = self.colours_mean + ordered_product(reflectance, self.colours_rows)
        gender = self._read(GENDER, theta, stated)
        age = self._read(AGE, theta, stated)
        low, high = AGES
        man = draws[:, 0] if gender is None else np.clip((gender + 1) / 2, 0, 1)
        years = low + (high - low) * draws[:, 1] if age is None else age
        return Persona(man, years, colours[:, :3], colours[:, 3:])

    def _read(
        self, name: str, theta: Float32[Array, "N m"], stated: Mapping[str, Float32[Array, "N"]]
    ) -> Float64[Array, "N"] | None:
        if name in stated:
            return stated[name].astype(np.float64)
        if name not in self.attributes:
            return None
        mean, row = self.attributes[name]
        shape = theta[:, self.layout.slices["shape"]].astype(np.float64)
        return mean + ordered_product(shape, row[:, None])[:, 0]


def observer_of(model: MorphableModel) -> Observer:
    """How people are read off the coefficients of a model."""
    skin, neck = (np.flatnonzero(model.segmentation == label) for label in (SKIN, NECK))
    parts = (skin, neck if len(neck) else skin)
    mean, rows = (
        model.reflectance.mean,
        model.reflectance.basis.reshape(model.reflectance.components, -1, 3),
    )
    known = model.attributes
    read = {
        name: (float(known.mean[k]), known.shape[k])
        for k, name in enumerate(known.names if known else ())
        if known and name in (GENDER, AGE)
    }
    return Observer(
        model.layout,
        _rounded(np.concatenate([mean[part].mean(axis=0, dtype=np.float64) for part in parts])),
        _rounded(np.hstack([rows[:, part].mean(axis=1, dtype=np.float64) for part in parts])),
        read,
    )


def _rounded(values: Float64[Array, "*n"]) -> Float64[Array, "*n"]:
    """Without the digits in which one machine's sums differ from another's."""
    return np.asarray(np.round(values / QUANTUM) * QUANTUM)
