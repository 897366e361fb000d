"""Random colours on fixed places, what reflectance is summed of; and shapes of places."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .template import Template


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

    def normal(self, deviation: float, mean: float | np.ndarray = 0.0) -> np.ndarray:
        """Draw (n, 1) normal numbers within 2.5 deviations."""
        draw = self.rng.standard_normal((self.count, 1)).clip(-2.5, 2.5)
        return mean + deviation * draw


def step(value: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """Return a smooth step from 0 at `low` to 1 at `high`."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def hill(template: Template, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Return a smooth bump (V,) about (+-x, y) mm on the face's front, symmetric."""
    px, py, pz = template.points.T
    bump = np.exp(-(((abs(px) - x) / width) ** 2) - ((py - y) / height) ** 2)
    return bump * step(pz, 15, 50) * template.body


def stroke(template: Template, line: list[tuple[float, float]], half_width: float) -> np.ndarray:
    """Return a soft line (V,) through (x, y) mm of the front view, symmetric, its ends fading."""
    place = template.points[:, :2] * [-1, 1]
    place[:, 0] = -abs(place[:, 0])
    ends = np.array(line)
    nearest, where = np.full(len(place), np.inf), np.zeros(len(place))
    for k, (a, b) in enumerate(pairwise(ends)):
        along = ((place - a) @ (b - a) / ((b - a) @ (b - a))).clip(0, 1)
        gap = np.linalg.norm(place - a - along[:, None] * (b - a), axis=1)
        where = np.where(gap < nearest, (k + along) / (len(ends) - 1), where)
        nearest = np.minimum(gap, nearest)
    fade = step(where, 0.0, 0.25) * (1 - step(where, 0.75, 1.0))
    front = step(template.points[:, 2], 15, 50) * template.body * template.front
    return np.exp(-((nearest / half_width) ** 2)) * fade * front


def waves(
    template: Template, rng: np.random.Generator, wavelength: float, number: int
) -> np.ndarray:
    """Return random fields (number, V) of unit deviation on the skin: plane waves in space.

    Where the mesh is too coarse for them they fade, since they would come out as streaks.
    """
    ways = rng.standard_normal((number, 12, 3))
    ways *= 2 * np.pi / wavelength / np.linalg.norm(ways, axis=2, keepdims=True)
    phases = rng.uniform(0, 2 * np.pi, (number, 12, 1))
    sums = np.cos(ways @ template.points.T + phases).sum(1) / np.sqrt(6)
    fine = step(wavelength / _edge_lengths(template), 1.5, 2.5)
    return sums * fine * (template.body & template.front)


def _edge_lengths(template: Template) -> np.ndarray:
    """Return the mean length (V,) in mm of the edges at each vertex."""
    ends = template.mesh.cells[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    length = np.linalg.norm(template.points[ends[:, 0]] - template.points[ends[:, 1]], axis=1)
    count = len(template.points)
    total = np.bincount(ends.ravel(), np.repeat(length, 2), count)
    return total / np.bincount(ends.ravel(), minlength=count).clip(1)
