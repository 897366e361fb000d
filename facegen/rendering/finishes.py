"""How surfaces reflect beyond Lambert: the numbers that both renderers share."""

import numpy as np

from facegen.models.attire import CLEAR, DARK, GLOSSY, MATTE, SKIN, STRANDS
from facegen.models.morphable_model import SEGMENTS

# sRGB's decoding curve as a polynomial, the highest power first; off by less than 0.0003.
TO_LINEAR = (0.189011867, -0.578642077, 0.926572947, 0.413375006, 0.0496822187, 0.00021803772)
# The broad lobe: how much the linear and quadratic harmonics of irradiance grow when mirrored.
BROAD_LINEAR, BROAD_SQUARE = 1.35, 2.0
FRESNEL_LOW, FRESNEL_HIGH = 0.04, 0.3
# Nine harmonics of a strong light fall below zero; no place is darker than this share of the mean.
LEAST_LIGHT = 0.16
LOBES = tuple((exponent + 8) / 8 for exponent in (64, 256))
HAIR_FIRST, HAIR_SECOND, HAIR_WRAP = 0.10, 0.9, 0.25
MATERIALS = len(SEGMENTS)  # Rows of FINISHES after those of the face.

_FACE = {
    "background": (0.0, 0.0, 0.0, 0.0),
    "skin": (1.25, 0.12, 0.1, 0.0),
    "lips": (1.1, 0.08, 0.28, 0.0),
    "brows": (1.2, 0.12, 0.1, 0.0),
    "eyes": (0.0, 0.3, 1.0, 2.4),
    "teeth": (0.5, 0.4, 0.6, 0.5),
    "mouth": (1.2, 0.2, 0.5, 0.0),
    "ears": (1.2, 0.05, 0.05, 0.0),
    "neck": (1.25, 0.12, 0.0, 0.0),
    "scalp": (0.8, 0.15, 0.25, 0.0),
}
_WORN = {
    MATTE: (0.0, 0.15, 0.0, 0.0),
    STRANDS: (0.0, 0.0, 0.0, 0.0),
    GLOSSY: (0.0, 1.0, 0.5, 0.3),
    CLEAR: (0.0, 1.0, 0.0, 1.0),
    DARK: (0.0, 1.2, 0.4, 1.5),
    SKIN: (1.25, 0.12, 0.1, 0.0),
}
# Weights of what is reflected every way alike, as of rough skin (benchmarks/light.py), of the broad
# lobe and of two sharp ones, by label of the face and material of attire.
FINISHES = np.array(
    [*(_FACE[name] for name in SEGMENTS), *(_WORN[k] for k in sorted(_WORN))], np.float32
)
