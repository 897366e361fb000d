"""Our procedural skin: reflectance as random colours on fixed fields, so its PCA is exact.

Colours are display-referred in [0, 1]. Skin runs along one melanin axis from very dark to very
light, with haemoglobin (red) and carotene (yellow) beside it; what lies on the skin (lips, brows,
beard, hair) is given relative to the person's own skin, linear in melanin, so that a Gaussian
mixture of components stays plausible.
"""

from dataclasses import dataclass, field

import numpy as np

from .mesh import TEETH, TONGUE
from .template import Template

SKIN, MELANIN = np.array([0.655, 0.510, 0.430]), np.array([0.140, 0.125, 0.114])
BLOOD, CAROTENE = np.array([0.005, -0.005, -0.0045]), np.array([0.002, 0.000, -0.007])
INSIDE = np.array([0.10, 0.030, 0.028])  # Of the mouth, where little light comes in.
HAIR = np.array([0.13, 0.10, 0.085])
FAIR = np.array([0.10, 0.075, 0.045])  # From the mean hair to fair hair, one deviation.
MOUTH_Z_MM = 75.0  # Depth of the dental arches' middle in the template.
BROW_LINE = np.array([(-51, 24.5), (-44, 28.6), (-34.5, 30.2), (-24, 28.6), (-11, 25.5)])


@dataclass
class Palette:
    """Accumulates scalar fields (V,) and their random colours (n, 3)."""

    rng: np.random.Generator
    count: int
    fields: list[np.ndarray] = field(default_factory=list)
    colours: list[np.ndarray] = field(default_factory=list)

    def add(self, place: np.ndarray, colour: np.ndarray) -> None:
        """Add `colour` (n, 3) or (3,) times the field `place` (V,)."""
        self.fields.append(place)
        self.colours.append(np.broadcast_to(colour, (self.count, 3)))

    def normal(self, deviation: float, mean: float = 0.0) -> np.ndarray:
        """Draw (n, 1) normal numbers within 2.5 deviations."""
        draw = self.rng.standard_normal((self.count, 1)).clip(-2.5, 2.5)
        return mean + deviation * draw


def hill(template: Template, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Return a smooth bump (V,) about (+-x, y) mm on the face's front, symmetric."""
    px, py, pz = template.points.T
    bump = np.exp(-(((abs(px) - x) / width) ** 2) - ((py - y) / height) ** 2)
    return bump * step(pz, 15, 50) * template.body


def step(value: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """Return a smooth step (V,) from 0 at `low` to 1 at `high`."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def brow_coordinates(template: Template) -> tuple[np.ndarray, np.ndarray]:
    """Return along (0 outer to 1 inner end) and across (mm, up positive) the brow's line."""
    x = -abs(template.points[:, 0])
    line = np.interp(x, BROW_LINE[:, 0], BROW_LINE[:, 1])
    along = (x - BROW_LINE[0, 0]) / (BROW_LINE[-1, 0] - BROW_LINE[0, 0])
    return along, template.points[:, 1] - line


def brow_fields(template: Template) -> list[np.ndarray]:
    """Return the brow and its variations: wider up, wider down, inner, outer, arched."""
    along, across = brow_coordinates(template)
    inside = step(along, -0.06, 0.12) * (1 - step(along, 0.9, 1.1))
    thick = 3.1 * (0.45 + 0.55 * step(along, -0.05, 0.6)) * (1 - 0.25 * step(along, 0.75, 1.05))
    front = template.body * (template.points[:, 2] > 20) * (template.openness > 0.5) * inside

    def band(middle: float | np.ndarray, half: np.ndarray) -> np.ndarray:
        return front * np.exp(-((np.abs(across - middle) / half) ** 3))

    core = band(0, thick)
    return [core, band(2.6, thick), band(-2.6, thick), core * step(along, 0.6, 1.0),
            core * (1 - step(along, 0.0, 0.4)), band(5 * (0.55 - along), thick)]  # fmt: skip


def paint(template: Template, count: int, seed: int) -> Palette:
    """Return the population's fields and colours."""
    palette = Palette(np.random.default_rng(seed), count)
    melanin = palette.rng.beta(2.2, 2.2, (count, 1))
    tone = (melanin - 0.5) / 0.21
    skin = SKIN + MELANIN * tone
    fair = (0.70 * tone + palette.normal(0.4)).clip(-0.6, 2.0)
    hair = HAIR + FAIR * fair
    outside = template.body.astype(float)
    palette.add(outside, skin + palette.normal(1.0) * BLOOD + palette.normal(1.0) * CAROTENE)
    _marks(template, palette, tone)
    _hair(template, palette, hair - skin)
    _mouth(template, palette, tone)
    _eyes(template, palette, tone)
    return palette


def _marks(template: Template, palette: Palette, tone: np.ndarray) -> None:
    """Add blush, shadows under the eyes and random mottling."""
    blush = 1.0 + 0.25 * tone
    red = np.array([0.010, -0.022, -0.018])
    for place in (hill(template, 38, -15, 16, 14), hill(template, 0, -22, 14, 12),
                  hill(template, 0, -84, 24, 16), template.masks["ears"],
                  hill(template, 0, 55, 40, 22)):  # fmt: skip
        palette.add(place, red * palette.normal(0.5, 0.6) * blush)
    under = hill(template, 29, 2.5, 13, 5.5)
    palette.add(under, np.array([-0.05, -0.05, -0.035]) * palette.normal(0.45, 0.6))
    lids = template.masks["eyelids"]
    palette.add(lids, np.array([-0.05, -0.06, -0.05]) * palette.normal(0.4, 0.9))
    for wavelength, number, strength in ((70, 24, 0.014), (24, 30, 0.009), (8, 40, 0.007)):
        for place in _waves(template, palette.rng, wavelength, number) / np.sqrt(number):
            shade = palette.normal(strength) * np.array([1.0, 0.95, 0.85])
            palette.add(place, shade + palette.normal(0.3 * strength) * np.array([0.6, -0.6, -0.5]))


def _waves(
    template: Template, rng: np.random.Generator, wavelength: float, number: int
) -> np.ndarray:
    """Return random fields (number, V) of unit deviation on the skin: plane waves in space."""
    ways = rng.standard_normal((number, 12, 3))
    ways *= 2 * np.pi / wavelength / np.linalg.norm(ways, axis=2, keepdims=True)
    phases = rng.uniform(0, 2 * np.pi, (number, 12, 1))
    waves = np.cos(ways @ template.points.T + phases).sum(1) / np.sqrt(6)
    return waves * (template.body & template.front)


def _hair(template: Template, palette: Palette, darker: np.ndarray) -> None:
    """Add brows, beard shadow and cropped hair, each towards the hair's colour."""
    core, *changes = brow_fields(template)
    core = core * (1 + 0.12 * _waves(template, palette.rng, 4.5, 1)[0])
    palette.add(core, darker * palette.normal(0.09, 0.60))
    for place, deviation in zip(changes, (0.10, 0.08, 0.09, 0.10, 0.09), strict=True):
        palette.add(place, darker * palette.normal(deviation, 0.07))
    palette.add(beard_field(template), darker * palette.normal(0.085, 0.14))
    scalp = scalp_field(template)
    grain = 1 + _waves(template, palette.rng, 9.0, 2).T @ [0.06, 0.06]
    palette.add(scalp * grain, darker * palette.normal(0.15, 0.52))
    for change in scalp_changes(template, scalp):
        palette.add(change * grain, darker * palette.normal(0.11, 0.02))


def beard_field(template: Template) -> np.ndarray:
    """Return where a beard would grow (V,)."""
    x, y, z = template.points.T
    ring = step(-y, 28, 46) * step(z, -5, 30) * (1 - step(-y, 100, 125))
    rise = step(abs(x), 30, 70)
    cheek = 1 - step(y, -62 + 30 * rise, -38 + 40 * rise)
    moustache = hill(template, 0, -41, 24, 6)
    return template.body * (ring * cheek).clip(0, 1) * 0.8 + 0.6 * moustache


def scalp_field(template: Template, lift: float = 0.0) -> np.ndarray:
    """Return where hair grows on the head (V,), with a soft hairline `lift` mm higher; no ears."""
    x, y, z = template.points.T
    corners = 7 * np.exp(-(((abs(x) - 40) / 13) ** 2))
    line = 80 + lift + corners - 0.015 * x**2
    front = step(y, line - 12, line + 12)
    low = 0.5 * (z + 40).clip(0)
    side = step(-z, -24, -4) * step(y, -30 + low, 4 + low)
    back = step(-z, 30, 60) * step(y, -60, -30)
    grown = np.maximum(np.maximum(front, side), back)
    return template.body * grown * (1 - template.masks["ears"])


def scalp_changes(template: Template, scalp: np.ndarray) -> list[np.ndarray]:
    """Return how hair varies: a lower or higher line, bald on top, faded sides."""
    top = step(template.points[:, 1], 60, 110)
    return [scalp_field(template, 12) - scalp, scalp_field(template, -10) - scalp,
            scalp * top, scalp * (1 - top)]  # fmt: skip


def _mouth(template: Template, palette: Palette, tone: np.ndarray) -> None:
    """Add lips, the mouth's inside, teeth and tongue."""
    lips = template.masks["lips"] * (1 - template.masks["inside-mouth"])
    rosy = np.array([-0.035, -0.115, -0.082]) + np.array([-0.018, -0.032, -0.022]) * tone
    palette.add(lips, rosy + palette.normal(1.0) * np.array([0.011, -0.008, -0.005]))
    throat = np.array([0.25, 0.07, 0.07]) - SKIN - MELANIN * tone
    palette.add(template.masks["inside-mouth"], throat)
    teeth = template.mesh.of(*TEETH).astype(float)
    lit = _tooth_shade(template) * (1 - 0.35 * _gaps(template.points[:, 0]))
    white = np.array([0.74, 0.70, 0.60]) + palette.normal(0.05) * np.array([1, 1, 1.3])
    palette.add(teeth * lit, white - INSIDE)
    palette.add(teeth, INSIDE)
    tongue = template.mesh.of(TONGUE).astype(float)
    palette.add(tongue, np.array([0.34, 0.15, 0.14]) + palette.normal(0.03))


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


def _eyes(template: Template, palette: Palette, tone: np.ndarray) -> None:
    """Add sclera, iris, limbal ring, pupil and the dark line of the lashes."""
    angle = np.degrees(np.nan_to_num(template.mesh.eye_angle, nan=999.0))
    ball = angle < 500
    sclera = ball * step(angle, 23.0, 24.6)
    palette.add(sclera, np.array([0.78, 0.74, 0.71]) + palette.normal(0.03))
    iris = ball * (1 - step(angle, 23.0, 24.6)) * step(angle, 7.0, 8.2)
    light = palette.normal(0.8) + 0.7 * tone
    colour = np.array([0.27, 0.20, 0.155]) + light * np.array([0.045, 0.055, 0.065])
    colour = colour + palette.normal(1.0) * np.array([-0.015, 0.005, 0.025])
    palette.add(iris * (1 - 0.65 * step(angle, 19.5, 23.5)), colour)
    palette.add(ball * (1 - step(angle, 7.0, 8.2)), np.array([0.02, 0.02, 0.02]))
    lash = np.exp(-((np.abs(template.lid_distance - 0.3) / 0.9) ** 2)) * template.body
    dark = np.array([0.07, 0.055, 0.05]) - SKIN - MELANIN * tone
    upper = step(template.points[:, 1], 12.0, 16.0)
    palette.add(lash * (0.35 + 0.5 * upper), dark)
