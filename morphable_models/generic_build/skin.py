"""Our procedural skin: reflectance as random colours on fixed fields, so its PCA is exact.

Colours are display-referred in [0, 1]. Skin runs along one melanin axis from very dark to very
light, with haemoglobin (red) and carotene (yellow) beside it; what lies on the skin (lips, brows,
beard, hair) is given relative to the person's own skin, linear in melanin, so that a Gaussian
mixture of components stays plausible.
"""

import numpy as np

from .ageing import add_ageing
from .eyes import add_eyes
from .hair import add_beard, add_brows, add_scalp, hair_of
from .mesh import TEETH, TONGUE
from .palette import Palette, hill, step, waves
from .people import People
from .template import Template

SKIN, MELANIN = np.array([0.655, 0.510, 0.430]), np.array([-0.140, -0.125, -0.114])
BLOOD, CAROTENE = np.array([0.008, -0.006, -0.007]), np.array([0.003, 0.000, -0.007])
INSIDE = np.array([0.10, 0.030, 0.028])  # Of the mouth, where little light comes in.
MOUTH_Z_MM = 75.0  # Depth of the dental arches' middle in the template.
ROSY, DEEP = np.array([-0.035, -0.115, -0.082]), np.array([-0.035, -0.050, -0.035])
TONE_SD = 0.21  # Of melanin, for one deviation of the skin's tone.


def paint(template: Template, people: People, seed: int) -> Palette:
    """Return the people's fields and colours."""
    palette = Palette(np.random.default_rng(seed), len(people.gender))
    tone = ((people.melanin - 0.5) / TONE_SD)[:, None]
    skin = SKIN + MELANIN * tone
    ruddy = palette.normal(1.0) * BLOOD + palette.normal(1.0) * CAROTENE
    fairer = np.array([0.012, 0.012, 0.012]) * (~people.men)[:, None]
    palette.add(template.body.astype(float), skin + ruddy + fairer)
    hair = hair_of(palette, people, skin, tone)
    _marks(template, palette, tone)
    add_ageing(template, palette, people, tone)
    add_brows(template, palette, hair)
    add_beard(template, palette, hair)
    add_scalp(template, palette, people, hair)
    _mouth(template, palette, people, tone)
    add_eyes(template, palette, people, tone)
    return palette


def _marks(template: Template, palette: Palette, tone: np.ndarray) -> None:
    """Add blush, shadows under the eyes, random mottling and the skin's fine grain."""
    blush = 1.0 - 0.25 * tone
    red = np.array([0.010, -0.022, -0.018])
    for place in (hill(template, 38, -15, 16, 14), hill(template, 0, -22, 14, 12),
                  hill(template, 0, -84, 24, 16), template.masks["ears"],
                  hill(template, 0, 55, 40, 22)):  # fmt: skip
        palette.add(place, red * palette.normal(0.6, 0.6) * blush)
    under = hill(template, 29, 2.5, 13, 5.5)
    palette.add(under, np.array([-0.05, -0.05, -0.035]) * palette.normal(0.45, 0.6))
    lids = template.masks["eyelids"]
    palette.add(lids, np.array([-0.05, -0.06, -0.05]) * palette.normal(0.4, 0.9))
    for wavelength, number, strength in ((70, 20, 0.015), (24, 24, 0.010), (8, 32, 0.008)):
        for place in waves(template, palette.rng, wavelength, number) / np.sqrt(number):
            shade = palette.normal(strength) * np.array([1.0, 0.95, 0.85])
            palette.add(place, shade + palette.normal(0.3 * strength) * np.array([0.6, -0.6, -0.5]))
    grain = waves(template, palette.rng, 4.5, 1)[0] * step(template.points[:, 2], 0, 40)
    palette.add(grain, palette.normal(0.004, 0.010) * np.array([1.0, 1.05, 1.0]))


def _mouth(template: Template, palette: Palette, people: People, tone: np.ndarray) -> None:
    """Add lips from pale to dark, the mouth's inside, teeth and tongue."""
    lips = template.masks["lips"] * (1 - template.masks["inside-mouth"])
    women = (~people.men)[:, None].astype(float)
    years = step(people.age[:, None], 35, 85)
    rosy = ROSY * (0.70 + 0.75 * women - 0.35 * years) + np.array([0.018, 0.032, 0.022]) * tone
    drawn = palette.normal(1.0) * np.array([0.010, -0.010, -0.007]) + palette.normal(0.35) * DEEP
    palette.add(lips, rosy + drawn)
    throat = np.array([0.25, 0.07, 0.07]) - SKIN - MELANIN * tone
    palette.add(template.masks["inside-mouth"], throat)
    _teeth(template, palette, years)
    tongue = template.mesh.of(TONGUE).astype(float)
    palette.add(tongue, np.array([0.34, 0.15, 0.14]) + palette.normal(0.03))


def _teeth(template: Template, palette: Palette, years: np.ndarray) -> None:
    """Add teeth, yellower with the years."""
    teeth = template.mesh.of(*TEETH).astype(float)
    lit = _tooth_shade(template) * (1 - 0.35 * _gaps(template.points[:, 0]))
    white = np.array([0.75, 0.72, 0.63]) + palette.normal(0.05) * np.array([1, 1, 1.3])
    palette.add(teeth * lit, white - years * np.array([0.04, 0.06, 0.12]) - INSIDE)
    palette.add(teeth, INSIDE)


def _tooth_shade(template: Template) -> np.ndarray:
    """Return how light (V,) teeth are: the front ones' outer faces fully, what lies within not."""
    x, _, z = template.points.T
    outward = np.column_stack([x, 0 * x, z - MOUTH_Z_MM])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    facing = step(np.einsum("ij,ij->i", outward, template.normals), -0.3, 0.5)
    return (0.3 + 0.7 * step(z, 82, 108)) * (0.25 + 0.75 * facing)


def _gaps(x: np.ndarray) -> np.ndarray:
    """Return how near (V,) one is to a gap between front teeth, at their usual breadths in mm."""
    edges = np.array([0.0, 8.5, 15.0, 22.0])
    return np.exp(-((np.abs(np.abs(x)[:, None] - edges).min(1) / 0.7) ** 2))
