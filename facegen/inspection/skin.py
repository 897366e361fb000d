"""Skin tones: the individual typology angle (ITA) of a model's reflectance, and its classes.

Chardon, Cretois & Hourseau 1991; Del Bino & Bernerd 2013.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from facegen.files import Array
from facegen.models.morphable_model import SEGMENTS, MorphableModel

# (name, the least angle in degrees), from light to dark.
CLASSES = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -np.inf),
)
VERTICES = 400
# From linear sRGB to XYZ over the white of D65 (IEC 61966-2-1).
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
CUBE, SLOPE = (6 / 29) ** 3, (29 / 6) ** 2 / 3


@dataclass(frozen=True, eq=False)
class Tones:
    """The skin of N faces: its angle in degrees, its mean colour in [0, 1]."""

    angles: Float64[Array, "N"]
    colours: Float64[Array, "N 3"]

    def by_class(self) -> list[tuple[str, float, Float64[Array, "3"]]]:
        """Each class with its share of faces and the mean colour of their skin."""
        classes, upper = [], np.inf
        for name, lower in CLASSES:
            inside = (self.angles >= lower) & (self.angles < upper)
            colour = self.colours[inside].mean(axis=0) if inside.any() else np.zeros(3)
            classes.append((name, float(inside.mean()), colour))
            upper = lower
        return classes


def tones(model: MorphableModel, coefficients: Float32[Array, "N k"]) -> Tones | None:
    """The skin of faces with these reflectance coefficients, if the model labels skin."""
    skin = np.flatnonzero(model.segmentation == SEGMENTS.index("skin"))
    if not len(skin) or not len(coefficients):
        return None
    vertices = skin[np.linspace(0, len(skin) - 1, min(VERTICES, len(skin))).astype(int)]
    reflectance = model.reflectance.at(vertices.astype(np.int32)).evaluate(coefficients)
    colours = np.clip(reflectance, 0, 1).astype(np.float64)
    # The median: nostrils, lids and the like are small, dark, and full of vertices.
    middle = np.median(lab(colours), axis=1)
    return Tones(typology_angle(middle), np.median(colours, axis=1))


def typology_angle(colour: Float64[Array, "*N 3"]) -> Float64[Array, "*N"]:
    """ITA in degrees of L*a*b*."""
    lightness, b = colour[..., 0], colour[..., 2]
    return np.asarray(np.degrees(np.arctan2(lightness - 50, b)))


def lab(srgb: Float64[Array, "*N 3"]) -> Float64[Array, "*N 3"]:
    """sRGB in [0, 1] -> CIE L*a*b* under D65."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    ratio = linear @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(ratio > CUBE, np.cbrt(ratio), SLOPE * ratio + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
