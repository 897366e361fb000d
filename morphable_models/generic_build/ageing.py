"""What the years draw into a skin: lines as shading in reflectance, spots, shadows under eyes."""

import numpy as np

from .palette import Palette, hill, step, stroke, waves
from .people import People
from .template import Template

LINE_YEARS = (28.0, 82.0)
# Lines through (x, y) in mm of the template's front view, on the subject's right; depth of shade.
FOREHEAD = [
    ([(-40, y - 2), (-22, y + 1.5), (0, y), (22, y + 1.5)], 0.045) for y in (47, 56, 65.5, 75)
]
FROWN = [([(-5.5, 24), (-4.2, 32), (-5.2, 42)], 0.045)]
CROWS_FEET = [
    ([(-46, 16.5), (-52, 20.5), (-58, 25)], 0.055), ([(-46, 13.5), (-54, 14), (-61, 15)], 0.06),
    ([(-45.5, 11), (-52, 7.5), (-58, 3)], 0.055),
]  # fmt: skip
UNDER_EYES = [
    ([(-17, 8), (-22, 2.5), (-31, -1), (-41, 2.5), (-45, 8)], 0.075),
    ([(-19, 4), (-27, -5.5), (-36, -8)], 0.05),
]  # fmt: skip
FOLDS = [
    ([(-17, -19), (-21.5, -28), (-27.5, -40), (-32, -53), (-32, -60)], 0.075),
    ([(-28.5, -57), (-31.5, -65), (-33, -74), (-32, -82)], 0.040),
]  # fmt: skip
MOUTH = [([(x, -37), (x * 1.02, -44.5)], 0.03) for x in (-4, -9, -14)]
NECK = [([(-38, y + 6), (-18, y), (0, y - 2), (18, y)], 0.045) for y in (-112, -122)]
LINES = (FOREHEAD, FROWN, CROWS_FEET, UNDER_EYES, FOLDS, MOUTH, NECK)


def add_ageing(template: Template, palette: Palette, people: People, tone: np.ndarray) -> None:
    """Add lines group by group, age spots, hollow cheeks and a duller skin."""
    years = step(people.age[:, None], *LINE_YEARS)
    share = 1 + 0.25 * tone
    for group in LINES:
        place = sum(
            (depth * stroke(template, line, 1.9) for line, depth in group),
            start=np.zeros(len(template.points)),
        )
        soft = sum(
            (depth * stroke(template, line, 5.0) for line, depth in group),
            start=np.zeros(len(template.points)),
        )
        amount = 1.5 * years + years * palette.normal(0.35) + palette.normal(0.06, 0.08)
        palette.add(0.85 * place + 0.4 * soft, -amount * share * np.array([1.0, 0.80, 0.70]))
    spots = (waves(template, palette.rng, 11.0, 3) - 1.1).clip(0)
    for place in spots * step(template.points[:, 2], 0, 40):
        palette.add(place, years * palette.normal(0.02, 0.03) * np.array([-0.9, -0.85, -0.75]))
    hollow = hill(template, 46, -40, 14, 18)
    palette.add(hollow, -0.05 * years * palette.normal(0.3, 1.0) * share)
    body = (template.body & template.front).astype(float)
    palette.add(body, years * np.array([-0.022, -0.018, -0.024]))
