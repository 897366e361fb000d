"""What light falls on the head: a sky, a room with windows, or a studio with lamps.

Directions and positions are in eye space, seen from the head: +z is towards the camera.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .randomness import Random, choose, tint

Float64 = NDArray[np.float64]

HEIGHT, WIDTH = 64, 128
SETTINGS = {"sky": 0.35, "room": 0.35, "studio": 0.3}


@dataclass(frozen=True, eq=False)
class Lamp:
    """A square area light that faces the head: position (3,) and half side in mm, colour (3,)."""

    position: Float64
    half_side: float
    radiance: Float64


@dataclass(frozen=True, eq=False)
class Lighting:
    """Radiance from far away (64, 128, 3), latitude by longitude, and lamps nearby."""

    environment: Float64
    lamps: tuple[Lamp, ...]


def draw_lighting(rng: Random) -> Lighting:
    """One place to be photographed in."""
    return {"sky": _sky, "room": _room, "studio": _studio}[choose(rng, SETTINGS)](rng)


def directions() -> Float64:
    """The unit directions (64, 128, 3) of an environment's pixels; its centre looks along +z."""
    polar = (np.arange(HEIGHT) + 0.5)[:, None] * np.pi / HEIGHT
    azimuth = ((np.arange(WIDTH) + 0.5) * 2 / WIDTH - 1)[None, :] * np.pi
    parts = np.broadcast_arrays(
        -np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)
    )
    return np.stack(parts, axis=-1)


def direction(azimuth: float, elevation: float) -> Float64:
    """The unit vector (3,) so many degrees to the image's right of the camera, and above it."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])


def _sky(rng: Random) -> Lighting:
    """Zenith, horizon and ground, and a sun more or less behind clouds."""
    height = directions()[..., 1:2]
    zenith, horizon = np.array([0.75, 0.9, 1.1]) * rng.uniform(0.5, 1), tint(rng, 0.3)
    ground = np.array([0.3, 0.27, 0.23]) * rng.uniform(0.3, 1.2)
    above = np.clip(height, 0, 1) ** 0.5
    sky = horizon * (1 - above) + zenith * above
    edge = expit(height / 0.06)
    environment = (sky * edge + ground * (1 - edge)) * _unevenness(rng, 0.3)
    sun = _lobe(_main_direction(rng), np.exp(rng.uniform(np.log(6), np.log(250))))
    strength = rng.uniform(0.3, 2.2)
    return Lighting(environment + strength * tint(rng, 0.25) * sun, ())


def _room(rng: Random) -> Lighting:
    """Walls and ceiling of one colour or another, and one to three bright windows."""
    height = directions()[..., 1:2]
    wall = tint(rng, 0.3) * rng.uniform(0.15, 0.5)
    environment = wall * (1 + 0.5 * height) * _unevenness(rng, 0.5)
    for _ in range(rng.integers(1, 4)):
        window = _window(rng, _main_direction(rng))
        power = rng.uniform(0.5, 2) / window.mean()
        environment = environment + 0.25 * power * tint(rng, 0.3) * window
    return Lighting(environment, ())


def _studio(rng: Random) -> Lighting:
    """One key lamp, often a weaker one from the other side, and what the walls give back."""
    walls = tint(rng, 0.2) * rng.uniform(0.08, 0.35) * _unevenness(rng, 0.4)
    side = rng.choice([-1.0, 1.0])
    key = _lamp(rng, side * rng.uniform(20, 65), rng.uniform(15, 50), 1.0)
    fill = _lamp(rng, -side * rng.uniform(25, 80), rng.uniform(-5, 35), rng.uniform(0.15, 0.6))
    lamps = (key, fill) if rng.random() < 0.7 else (key,)
    return Lighting(np.ones((HEIGHT, WIDTH, 3)) * walls, lamps)


def _lamp(rng: Random, azimuth: float, elevation: float, strength: float) -> Lamp:
    """A lamp of a size and distance of its own that lights the head as `strength` says."""
    distance, half_side = rng.uniform(700, 1600), rng.uniform(80, 350)
    radiance = strength * np.pi * distance**2 / (2 * half_side) ** 2
    position = distance * direction(azimuth, elevation)
    return Lamp(position, half_side, radiance * tint(rng, 0.25))


def _main_direction(rng: Random) -> Float64:
    """Where a main light is: above, and more often to a side than straight ahead (3,)."""
    side = rng.choice([-1.0, 1.0])
    return direction(side * abs(rng.normal(40, 28)), np.clip(rng.normal(38, 18), 0, 85))


def _lobe(towards: Float64, sharpness: float) -> Float64:
    """A soft disc of light (64, 128, 1) around a direction, of mean irradiance about one."""
    lobe = np.exp(sharpness * (directions() @ towards - 1))[..., None]
    return lobe * sharpness / 2


def _window(rng: Random, towards: Float64) -> Float64:
    """A window (64, 128, 1) in a direction: a rectangle of panes with soft edges, 0 to 1."""
    right = np.cross([0.0, 1.0, 0.0], towards)
    right /= np.linalg.norm(right)
    rays = directions()
    ahead = np.maximum(rays @ towards, 1e-3)
    across, up = rays @ right / ahead, rays @ np.cross(towards, right) / ahead
    width, height = rng.uniform(0.15, 0.6), rng.uniform(0.15, 0.6)
    panes = rng.integers(1, 4)
    bars = np.abs(np.sin(np.pi * panes * (across / width + 1) / 2)) > 0.12
    inside = _below(np.abs(across), width) * _below(np.abs(up), height) * (rays @ towards > 0)
    return (inside * np.where(bars, 1.0, 0.4))[..., None]


def _below(values: Float64, limit: float) -> Float64:
    return expit((limit - values) / 0.03)


def _unevenness(rng: Random, amount: float) -> Float64:
    """A smooth positive factor per direction (64, 128, 1), of mean about one."""
    waves = rng.normal(size=(6, 3)) * 2
    phases = rng.uniform(0, 2 * np.pi, 6)
    field = np.sin(directions() @ waves.T + phases).sum(axis=-1, keepdims=True)
    return np.exp(amount * field / 2)
