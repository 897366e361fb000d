"""Painted hair: brows of many shapes, beards from shadow to full, cropped hair on the scalp."""

from dataclasses import dataclass

import numpy as np

from .palette import Palette, hill, step, waves
from .people import People
from .template import Template

HAIR = np.array([0.115, 0.088, 0.072])
FAIR = np.array([0.10, 0.074, 0.044])  # From the mean hair to fair hair, one deviation.
GREY = np.array([0.60, 0.59, 0.57])
GREYING_YEARS = (32.0, 78.0)
BROW_LINE = np.array([(-57, 23.0), (-49, 28.4), (-38, 31.0), (-25, 29.4), (-10, 26.6)])


@dataclass(frozen=True)
class Hair:
    """How each person's hair and beard (n, 3) differ from its skin; who is a man, and how grey."""

    darker: np.ndarray
    beard: np.ndarray
    men: np.ndarray
    grey: np.ndarray


def hair_of(palette: Palette, people: People, skin: np.ndarray, tone: np.ndarray) -> Hair:
    """Draw hair colours: darker on darker skin, grey with the years."""
    fair = (-0.75 * tone + palette.normal(0.55)).clip(-0.7, 2.2)
    grey = step(people.age[:, None] + 9 * palette.normal(1.0), *GREYING_YEARS)
    colour = HAIR + FAIR * fair
    colour = colour + 0.85 * grey * (GREY - colour)
    beard = HAIR + FAIR * fair + 0.4 * grey * (GREY - HAIR)
    return Hair(colour - skin, beard - skin, people.men[:, None].astype(float), grey)


def brow_coordinates(template: Template) -> tuple[np.ndarray, np.ndarray]:
    """Return along (0 outer to 1 inner end) and across (mm, up positive) the brow's line."""
    x = -abs(template.points[:, 0])
    line = np.interp(x, BROW_LINE[:, 0], BROW_LINE[:, 1])
    along = (x - BROW_LINE[0, 0]) / (BROW_LINE[-1, 0] - BROW_LINE[0, 0])
    return along, template.points[:, 1] - line


def brow_fields(template: Template) -> list[np.ndarray]:
    """Return the brow and its variations: wider up, wider down, inner, outer, arched, flat."""
    along, across = brow_coordinates(template)
    inside = step(along, -0.06, 0.14) * (1 - step(along, 0.9, 1.08))
    thick = 2.7 * (0.40 + 0.60 * step(along, -0.05, 0.6)) * (1 - 0.25 * step(along, 0.75, 1.05))
    front = template.body * (template.points[:, 2] > 20) * (template.openness > 0.5) * inside

    def band(middle: float | np.ndarray, half: np.ndarray) -> np.ndarray:
        return front * np.exp(-((np.abs(across - middle) / half) ** 3))

    core = band(0, thick)
    return [core, band(2.9, thick), band(-2.9, thick), core * step(along, 0.6, 1.0),
            core * (1 - step(along, 0.0, 0.4)), band(5 * (0.55 - along), thick),
            band(-4 * (1 - abs(2 * along - 0.9)), thick)]  # fmt: skip


def add_brows(template: Template, palette: Palette, hair: Hair) -> None:
    """Add brows: women's thinner and clearer, men's heavier, old ones sparser."""
    core, up, down, inner, outer, arched, flat = brow_fields(template)
    grain = 1 + 0.14 * waves(template, palette.rng, 4.5, 1)[0]
    sparse = 1 - 0.35 * hair.grey
    palette.add(core * grain, hair.darker * palette.normal(0.09, (0.50 + 0.18 * hair.men) * sparse))
    palette.add(up, hair.darker * palette.normal(0.06, -0.06 + 0.22 * hair.men))
    palette.add(down, hair.darker * palette.normal(0.06, -0.12 + 0.46 * hair.men))
    palette.add(inner, hair.darker * palette.normal(0.12, 0.06))
    palette.add(outer, hair.darker * palette.normal(0.12, 0.04))
    palette.add(arched, hair.darker * palette.normal(0.09, 0.14 - 0.12 * hair.men))
    palette.add(flat, hair.darker * palette.normal(0.10, 0.02))


def beard_field(template: Template) -> np.ndarray:
    """Return where a beard grows (V,)."""
    x, y, z = template.points.T
    ring = step(-y, 28, 46) * step(z, -5, 30) * (1 - step(-y, 100, 125))
    rise = step(abs(x), 30, 70)
    cheek = 1 - step(y, -62 + 30 * rise, -38 + 40 * rise)
    lips = np.maximum(template.masks["lips"], template.masks["inside-mouth"])
    return template.body * (ring * cheek).clip(0, 1) * 0.8 * (1 - lips)


def moustache_field(template: Template) -> np.ndarray:
    """Return where a moustache grows (V,)."""
    return 0.8 * hill(template, 9, -40.5, 16, 5) * (1 - template.masks["lips"])


def chin_field(template: Template) -> np.ndarray:
    """Return where a goatee grows (V,)."""
    lips = 1 - template.masks["lips"]
    return 0.8 * (hill(template, 0, -86, 17, 13) + hill(template, 0, -71, 8, 4)) * lips


def add_beard(template: Template, palette: Palette, hair: Hair) -> None:
    """Add beards: none to full in men, none in women."""
    grain = 1 + 0.10 * waves(template, palette.rng, 4.5, 1)[0]
    shadow = 0.36 * palette.rng.beta(1.2, 2.5, (palette.count, 1))
    palette.add(beard_field(template) * grain, hair.beard * hair.men * (0.15 + shadow))
    for place in (moustache_field(template), chin_field(template)):
        own = 0.4 * palette.rng.beta(0.6, 1.8, (palette.count, 1))
        palette.add(place * grain, hair.beard * hair.men * (0.04 + 0.5 * shadow + own))


def scalp_field(template: Template, lift: float = 0.0, corner: float = 7.0) -> np.ndarray:
    """Return where hair grows on the head (V,), with a soft hairline `lift` mm higher; no ears.

    corner: how much higher, in mm, the line runs above the temples.
    """
    x, y, z = template.points.T
    corners = corner * np.exp(-(((abs(x) - 40) / 13) ** 2))
    line = 80 + lift + corners - 0.015 * x**2
    front = step(y, line - 9, line + 9)
    low = 0.5 * (z + 40).clip(0)
    side = step(-z, -24, -4) * step(y, -30 + low, 4 + low)
    back = step(-z, 30, 60) * step(y, -60, -30)
    grown = np.maximum(np.maximum(front, side), back)
    return template.body * grown * (1 - template.masks["ears"])


def _long_field(template: Template) -> np.ndarray:
    """Return where hair that falls to the shoulders lies on the neck (V,), behind the ears."""
    _, y, z = template.points.T
    behind = step(-z, -26.0, -6.0) * step(-y, -6.0, 14.0)
    return template.body * template.front * behind * (1 - template.masks["ears"])


def add_scalp(template: Template, palette: Palette, people: People, hair: Hair) -> None:
    """Add cropped hair: women's line round and low, men's squarer, receding with the years."""
    scalp = scalp_field(template)
    grain = 1 + waves(template, palette.rng, 9.0, 2).T @ [0.05, 0.05]
    fine = 1 + 0.07 * waves(template, palette.rng, 4.5, 1)[0]
    top = step(template.points[:, 1], 60, 110)
    long = _long_field(template) * grain
    years = step(people.age[:, None], 25, 75)
    bald = hair.men * years * palette.rng.beta(1.0, 1.2, (palette.count, 1))
    places = {
        "all": scalp * grain * fine,
        "higher": (scalp_field(template, 14) - scalp) * fine,
        "lower": (scalp_field(template, -10) - scalp) * fine,
        "round": (scalp_field(template, 0, -3.0) - scalp) * fine,
        "corners": (scalp_field(template, 0, 24.0) - scalp) * fine,
        "top": scalp * top * grain,
        "sides": scalp * (1 - top) * grain,
        "long": long * fine,
    }
    amounts = {
        "all": palette.normal(0.10, 0.72 - 0.08 * hair.men),
        "higher": palette.normal(0.14, 0.10 * hair.men),
        "lower": palette.normal(0.14, 0.10 * (1 - hair.men)),
        "round": palette.normal(0.12, 0.55 * (1 - hair.men)),
        "corners": palette.normal(0.10, 0.5 * bald),
        "top": palette.normal(0.08, -0.55 * bald),
        "sides": palette.normal(0.10, 0.02 - 0.06 * hair.men),
        "long": palette.normal(0.08, 0.80 - 0.78 * hair.men),
    }
    for name, place in places.items():
        palette.add(place, hair.darker * amounts[name])
