"""Eyes: irises over the human range, limbal ring, sclera with vessels, caruncle and lashes."""

import numpy as np

from .mesh import EYES
from .palette import Palette, step
from .people import People
from .template import Template

# Iris: the mean (brown), towards light grey-blue, towards cool or warm, towards green; one
# deviation each. Six or seven in ten come out dark brown; the rest hazel, green, blue and grey.
IRIS = np.array([0.205, 0.155, 0.105])
LIGHT, COOL = np.array([0.056, 0.064, 0.068]), np.array([-0.022, 0.006, 0.030])
GREEN = np.array([-0.002, 0.009, -0.006])
CARUNCLE = (-18.4, 11.8)  # (x, y) in mm of the template's front view.


def add_eyes(template: Template, palette: Palette, people: People, tone: np.ndarray) -> None:
    """Add sclera, iris, pupil, caruncle and the dark line of the lashes."""
    angle = np.degrees(np.nan_to_num(template.mesh.eye_angle, nan=999.0))
    ball = angle < 500
    sclera = ball * step(angle, 23.0, 24.6)
    years = step(people.age[:, None], 30, 85)
    white = np.array([0.775, 0.745, 0.715]) - np.array([0.02, 0.03, 0.06]) * years
    palette.add(sclera, white + palette.normal(0.025) - 0.02 * tone)
    palette.add(sclera * _corners(template, angle), palette.normal(0.4, 1.0) * _vessels())
    light = -0.8 * tone + palette.normal(0.7)
    colour = IRIS + light * LIGHT + palette.normal(1.0) * COOL + palette.normal(1.0) * GREEN
    iris = ball * (1 - step(angle, 23.0, 24.6)) * step(angle, 7.0, 8.2)
    palette.add(iris * (1 - 0.65 * step(angle, 19.5, 23.5)) * _fibres(template, angle), colour)
    palette.add(
        iris * (1 - step(angle, 9.0, 16.0)), palette.normal(0.02, 0.02) * np.array([1.2, 0.6, 0.0])
    )
    palette.add(ball * (1 - step(angle, 7.0, 8.2)), np.array([0.02, 0.02, 0.02]))
    _around(template, palette, people, tone)


def _vessels() -> np.ndarray:
    """Return the colour (3,) that the vessels at the corners add to a sclera."""
    return np.array([0.0, -0.075, -0.07])


def _corners(template: Template, angle: np.ndarray) -> np.ndarray:
    """Return how near (V,) a point of the sclera is to a corner of the eye."""
    near = np.zeros(len(angle))
    for eye in EYES:
        ball = template.mesh.of(eye)
        centre = template.points[ball].mean(0)
        near[ball] = step(abs(template.points[ball, 0] - centre[0]), 7.5, 13.0)
    return near


def _fibres(template: Template, angle: np.ndarray) -> np.ndarray:
    """Return how light (V,) the iris is around the pupil: irregular rays."""
    rays = np.ones(len(angle))
    for eye in EYES:
        ball = template.mesh.of(eye)
        x, y, _ = (template.points[ball] - template.points[ball].mean(0)).T
        turn = np.arctan2(y, x)
        rays[ball] = 1 + 0.09 * np.sin(9 * turn) + 0.07 * np.sin(15 * turn + 1.0)
    return rays


def _around(template: Template, palette: Palette, people: People, tone: np.ndarray) -> None:
    """Add what surrounds an eye: caruncle and lashes, women's darker."""
    x, y, _ = template.points.T
    near = np.hypot((abs(x) + CARUNCLE[0]) / 1.7, (y - CARUNCLE[1]) / 1.3)
    pink = np.exp(-(near**2)) * template.body * (abs(template.lid_distance) < 4.0)
    palette.add(pink, np.array([0.02, -0.10, -0.07]) - 0.05 * tone)
    rim = np.exp(-((np.abs(template.lid_distance - 0.3) / 0.9) ** 2)) * template.body
    lash = rim * (1 - pink)
    upper = step(y, 12.0, 16.0)
    dark = np.array([-0.585, -0.455, -0.380]) - np.array([0.140, 0.125, 0.114]) * -tone
    women = (~people.men)[:, None].astype(float)
    palette.add(lash * (0.30 + 0.5 * upper), dark * palette.normal(0.06, 0.92))
    palette.add(lash * upper, dark * 0.22 * women)
