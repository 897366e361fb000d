"""Lights whose answer is known, tried on the same functions before each build."""

import numpy as np

from facegen.scene.lighting import CONSTANTS, basis, turned

from .light import CAP, illumination, suns
from .sphere import directions, levelled, shrunk, solid_angles
from .write import decoded, encoded

HEIGHT = 256
LAMP = np.array([0.3, 0.5, 0.8]) / np.linalg.norm([0.3, 0.5, 0.8])
COLOUR = np.array([1.0, 0.5, 0.25])


def check_all() -> None:
    """Raise where one of the known answers does not come out."""
    for check in (_furnace, _mapping, _lamp, _turning, _front, _bytes):
        check()


def _near(value: np.ndarray, expected: np.ndarray, tolerance: float, what: str) -> None:
    """Raise where two arrays differ by more than the tolerance."""
    worst = np.abs(np.asarray(value) - expected).max()
    if worst > tolerance:
        raise ArithmeticError(f"{what}: off by {worst:.2g}, {tolerance:.2g} allowed")


def _cap(direction: np.ndarray, height: int = HEIGHT, angle: float = 0.03) -> np.ndarray:
    """Return a panorama, dark but for a lamp that gives irradiance pi at what faces it."""
    lit = directions(height) @ direction > np.cos(angle)
    solid = (lit * solid_angles(height)).sum()
    return (lit * np.pi / solid)[..., None] * COLOUR


def _furnace() -> None:
    """Uniform light of radiance 1: only the constant, and irradiance / pi is 1."""
    expected = np.zeros((9, 3))
    expected[0] = 1 / CONSTANTS[0]
    _near(illumination(np.ones((HEIGHT, 2 * HEIGHT, 3))), expected, 1e-4, "white furnace")


def _mapping() -> None:
    """The middle is -z, right of it +x, the edges +z, the top row +y."""
    points = directions(HEIGHT)
    middle = (points[HEIGHT // 2 - 1] + points[HEIGHT // 2]) / 2  # On the horizon.
    steps = {0: (0, 0, 1), HEIGHT // 2: (-1, 0, 0), HEIGHT: (0, 0, -1), 3 * HEIGHT // 2: (1, 0, 0)}
    for column, expected in steps.items():
        between = (middle[column - 1] + middle[column]) / 2
        _near(between, np.array(expected), 1e-3, f"direction of column {column}")
    _near(points[0].mean(0), np.array([0, 1, 0]), 1e-3, "direction of the top row")


def _lamp() -> None:
    """A small lamp: irradiance / pi is the clamped cosine to order 2, and the sun is found."""
    normals = np.random.default_rng(0).normal(size=(200, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    cosine = normals @ LAMP
    known = 1 / 4 + cosine / 2 + 5 / 32 * (3 * cosine**2 - 1)  # Ramamoorthi & Hanrahan, order 2.
    found = basis(normals) @ illumination(_cap(LAMP))
    _near(found, known[:, None] * COLOUR, 2e-3, "small lamp")
    two = suns(_cap(LAMP) + 0.4 * _cap(-LAMP) + 0.3)
    _near(two[:, :3], np.array([LAMP, -LAMP]), 0.01, "directions of suns")
    _near(two[:, 3:], np.array([COLOUR, 0.4 * COLOUR]), 0.01, "colours of suns")
    _near(suns(_cap(LAMP, angle=5 * CAP) + 0.3), np.zeros((2, 6)), 0, "a wide light is no sun")


def _turning() -> None:
    """Columns moved by a quarter to the right are a turn about the vertical, -z to +x."""
    quarter = np.roll(_cap(LAMP), HEIGHT // 2, axis=1)
    rotation = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])  # Takes the old to the new.
    before = illumination(_cap(LAMP))[None]
    after = turned(before, rotation.T[None])[0]
    _near(illumination(quarter), after, 1e-4, "turned panorama")


def _front() -> None:
    """Light at the edge columns lights a face that looks at the camera."""
    edge = np.zeros((HEIGHT, 2 * HEIGHT, 3))
    edge[HEIGHT // 2 - 4 : HEIGHT // 2 + 4, [0, -1]] = 1
    linear = illumination(levelled(edge))[1:4].mean(1)
    _near(linear / np.linalg.norm(linear), np.array([0, 1, 0]), 1e-3, "light from the front")


def _bytes() -> None:
    """Bytes say radiance x to 1.1 % of x + 1/8; averaging loses no light."""
    values = np.geomspace(1e-3, 31.9, 1000)
    error = np.abs(decoded(encoded(values)) - values)
    _near(error / (values + 1 / 8), np.zeros(1000), 0.0112, "bytes")
    lamp = _cap(LAMP)
    kept = (shrunk(lamp, 64) * solid_angles(64)[..., None]).sum((0, 1))
    _near(kept, np.pi * COLOUR, 1e-9, "light after averaging")
